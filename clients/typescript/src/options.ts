/** A value, or what gives it: asked before each try, so that a token may be short-lived. */
export type Provided<T> = T | (() => T | Promise<T>);

/** Who calls: one of these, or nobody. */
export type Proof =
  | {
      /** A tenant's key, `sk_stead_…`: the tenant's service. For servers only. */
      apiKey: string;
      token?: never;
      sessionToken?: never;
      serviceSecret?: never;
      tenant?: never;
    }
  | {
      /** A person's bearer token, or what gives it (`() => getToken()` of Clerk); null: nobody is signed in. */
      token?: Provided<string | null | undefined>;
      /** The token of an anonymous session. Beside `token` where a session is linked. */
      sessionToken?: Provided<string | null | undefined>;
      apiKey?: never;
      serviceSecret?: never;
      tenant?: never;
    }
  | {
      /** STEAD_SERVICE_SECRET: each call is signed (Standard Webhooks). For servers only. */
      serviceSecret: string;
      /** The slug of the tenant that is called for. */
      tenant: string;
      apiKey?: never;
      token?: never;
      sessionToken?: never;
    };

/** When it is tried again. */
export interface Retries {
  /** Tries after the first (2). */
  limit?: number;
  /** The longest wait before the second try (200 ms); twice as long before each next. Drawn from 0 to that. */
  baseMs?: number;
  /** The longest wait before any try (5,000 ms). */
  maxMs?: number;
  /** A Retry-After that is longer is not waited for (30,000 ms). */
  maxRetryAfterMs?: number;
}

export interface ClientOptions {
  /** Such as `https://stead.example.com`; a path before the API's own is kept. */
  baseUrl: string;
  /** How often, or in more detail; 0 for never. */
  retries?: number | Retries;
  /** How long one try may take, to the whole answer; of a stream: to its beginning. 30,000 ms; 0 for no limit. */
  timeoutMs?: number;
  /** Headers of each request. */
  headers?: Record<string, string>;
  /** Whether cookies go along: `include` for a page that is not served from where the API is. */
  credentials?: RequestCredentials;
  /** Instead of the platform's `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export type SteadOptions = ClientOptions & Proof;

/** What one call may have otherwise. */
export interface CallOptions {
  signal?: AbortSignal | null;
  timeoutMs?: number;
  retries?: number | Retries;
  /** Instead of a random one, on routes that take it: for a call that outlives this process. */
  idempotencyKey?: string;
  headers?: Record<string, string>;
}
