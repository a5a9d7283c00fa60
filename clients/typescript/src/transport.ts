import { isPassing, jitterMs, retryAfterMs, settled, wait } from './backoff.js';
import { TAKES_IDEMPOTENCY_KEY } from './operations.js';
import type { CallOptions, ClientOptions, Retries } from './options.js';
import { SteadProblem, SteadUnreachable } from './problems.js';
import type { Prover } from './proof.js';

const KEY = 'idempotency-key';
const TIMEOUT_MS = 30_000;
/** May be sent twice by what they are (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
/** Templates of paths that take a key, as patterns. */
const KEYED: readonly (readonly [string, RegExp])[] = [...TAKES_IDEMPOTENCY_KEY].map((route) => {
  const [method = '', path = ''] = route.split(' ');
  return [method, new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`)];
});

/** Further what the transport is told of a call. */
export interface SendOptions extends CallOptions {
  /** Sent twice it is done once, by what is in it: a message that has its own id. */
  repeatable?: boolean;
}

/** Carries requests: proves who calls, tries again what may be, and reads refusals. */
export class Transport {
  readonly #base: URL;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #retries: number | Retries | undefined;
  readonly #timeoutMs: number;
  readonly #headers: Record<string, string>;
  readonly #credentials: RequestCredentials | undefined;
  readonly #prover: Prover;

  constructor(options: ClientOptions, prover: Prover) {
    this.#base = new URL(options.baseUrl);
    // Looked up at each call: a framework may put its own in place of it later.
    this.#fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
    this.#retries = options.retries;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#headers = options.headers ?? {};
    this.#credentials = options.credentials;
    this.#prover = prover;
  }

  /** An answer that is no refusal.
   *
   * @throws SteadProblem: the server refused. SteadUnreachable: there was no answer. What the signal has as its
   * reason: it was aborted.
   */
  async send(request: Request, options: SendOptions = {}): Promise<Response> {
    const signal = options.signal ?? request.signal;
    const body = new Uint8Array(await request.arrayBuffer());
    const headers = new Headers(request.headers);
    for (const [name, value] of Object.entries({ ...this.#headers, ...options.headers })) headers.set(name, value);
    let proof = await this.#prover.headers(body);
    const path = this.#path(request);
    if (options.idempotencyKey !== undefined) headers.set(KEY, options.idempotencyKey);
    // Whoever has no identity yet has nothing that a key could belong to: sent twice, it opens two sessions.
    const opensForNobody = path === '/api/session' && !('authorization' in proof) && !('webhook-id' in proof);
    if (opensForNobody) headers.delete(KEY);
    else if (!headers.has(KEY) && isKeyed(request.method, path)) headers.set(KEY, crypto.randomUUID());
    const retries = settled(options.retries ?? this.#retries);
    const mayBeRepeated = IDEMPOTENT.has(request.method) || headers.has(KEY) || options.repeatable;
    const last = mayBeRepeated ? 1 + retries.limit : 1;
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted();
      for (const [name, value] of Object.entries(proof)) headers.set(name, value);
      let pauseMs = jitterMs(retries, tries);
      try {
        const response = await this.#once(request, headers, body, signal, timeoutMs);
        if (response.ok) return response;
        const after = retryAfterMs(response.headers);
        const mayGoWell = isPassing(response.status) && (after ?? 0) <= retries.maxRetryAfterMs;
        if (tries >= last || !mayGoWell) throw await SteadProblem.read(response, after);
        pauseMs += after ?? 0;
        await response.body?.cancel();
      } catch (error) {
        if (error instanceof SteadProblem || signal.aborted) throw error;
        if (tries >= last) throw unreachable(error, tries);
      }
      await wait(pauseMs, signal);
      proof = await this.#prover.headers(body);
    }
  }

  async #once(
    request: Request,
    headers: Headers,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<Response> {
    const late = new AbortController();
    const timer =
      timeoutMs > 0
        ? setTimeout(() => late.abort(new DOMException(`no answer in ${timeoutMs} ms`, 'TimeoutError')), timeoutMs)
        : undefined;
    try {
      const response = await this.#fetch(request.url, {
        method: request.method,
        headers,
        body: body.length > 0 ? body : null,
        signal: AbortSignal.any([signal, late.signal]),
        ...this.#carrying(request),
        // What is one person's must not be answered to another; and proofs are not taken elsewhere.
        cache: 'no-store',
        redirect: 'manual',
      });
      // Whole, where it is small: a connection that drops in the middle of an answer is tried again too.
      const isSmall = !response.ok || /\bjson\b/.test(response.headers.get('content-type') ?? '');
      if (!isSmall || response.body === null || response.status === 0) return response;
      const { status, statusText, headers: told } = response;
      return new Response(await response.arrayBuffer(), { status, statusText, headers: told });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Cookies, where they are wanted. Not every platform knows the member, so it is left out where it says nothing. */
  #carrying(request: Request): { credentials?: RequestCredentials } {
    if (request.credentials === 'include') return { credentials: 'include' };
    return this.#credentials === undefined ? {} : { credentials: this.#credentials };
  }

  #path(request: Request): string {
    return new URL(request.url).pathname.slice(this.#base.pathname.replace(/\/$/, '').length);
  }
}

/** Whether the route takes a key, which makes it safe to send twice. */
function isKeyed(method: string, path: string): boolean {
  return KEYED.some(([keyed, pattern]) => keyed === method && pattern.test(path));
}

function unreachable(error: unknown, tries: number): SteadUnreachable {
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
  const says = error instanceof Error ? error.message : String(error);
  const often = tries === 1 ? 'once' : `${tries} times`;
  return new SteadUnreachable(`no answer, tried ${often}: ${says}`, { cause: error, tries, timedOut });
}
