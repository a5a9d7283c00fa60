/** Where a request was wrong, and why. */
export interface FieldError {
  /** Such as `body.context.pricing`. */
  readonly where: string;
  readonly what: string;
  /** The kind of error, such as `missing` or `uuid_parsing`. */
  readonly kind: string;
}

const MEDIA_TYPE = 'application/problem+json';

/** What the server refused, as its problem document (RFC 9457) says. */
export class SteadProblem extends Error {
  override readonly name: string = 'SteadProblem';
  /** A stable name, such as `session_unknown`: docs/reference/errors.md has all. Without a document: `http_502`. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly status: number;
  /** How to mend it, where that is known. */
  readonly hint: string | undefined;
  /** Of a request that did not fit (`code` is `request_invalid`): every place that is wrong. */
  readonly errors: readonly FieldError[];
  /** What the server's log calls this request. */
  readonly requestId: string | undefined;
  /** How long to wait, where the server says so. */
  readonly retryAfterMs: number | undefined;
  /** The whole document, with what only some problems have. */
  readonly document: Readonly<Record<string, unknown>>;

  constructor(status: number, document: Record<string, unknown>, retryAfterMs?: number) {
    const code = text(document['code']) ?? `http_${status}`;
    const title = text(document['title']) ?? 'The server did not say what is wrong';
    const detail = text(document['detail']) ?? '';
    super(detail ? `${title}: ${detail} (${code})` : `${title} (${code})`);
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.hint = text(document['hint']);
    this.errors = Array.isArray(document['errors']) ? document['errors'].filter(isFieldError) : [];
    this.requestId = text(document['request_id']);
    this.retryAfterMs = retryAfterMs;
    this.document = document;
  }

  /** The problem as the answer of a route handler: the same status, document and Retry-After. */
  toResponse(): Response {
    const headers = new Headers({ 'content-type': MEDIA_TYPE });
    if (this.retryAfterMs !== undefined) {
      headers.set('retry-after', String(Math.ceil(this.retryAfterMs / 1000)));
    }
    const body = { ...this.document, code: this.code, title: this.title, status: this.status };
    return new Response(JSON.stringify(body), { status: this.status, headers });
  }

  /** Reads the problem that an answer is. */
  static async read(response: Response, retryAfterMs?: number): Promise<SteadProblem> {
    let document: unknown;
    try {
      document = await response.json();
    } catch {
      // A proxy's page, or nothing.
    }
    // A browser says 0 of an answer that leads elsewhere; the server never answers so.
    const status = response.status || 502;
    return new SteadProblem(status, isRecord(document) ? document : {}, retryAfterMs);
  }
}

/** Nothing was answered: the connection failed, or each try took too long. */
export class SteadUnreachable extends Error {
  override readonly name: string = 'SteadUnreachable';
  /** How often it was tried. */
  readonly tries: number;
  readonly timedOut: boolean;

  constructor(message: string, options: { cause: unknown; tries: number; timedOut: boolean }) {
    super(message, { cause: options.cause });
    this.tries = options.tries;
    this.timedOut = options.timedOut;
  }
}

/** A stream ended before its end. The run goes on: `chat.resume` has all of it. */
export class SteadStreamBroken extends Error {
  override readonly name: string = 'SteadStreamBroken';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && ['where', 'what', 'kind'].every((name) => typeof value[name] === 'string');
}
