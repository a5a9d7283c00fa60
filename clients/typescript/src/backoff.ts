import type { Retries } from './options.js';

/** Answers after which the same may go well a moment later. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 502, 503, 504]);

export function isPassing(status: number): boolean {
  return PASSING.has(status);
}

/** Retries with nothing left open. */
export function settled(given: number | Retries | undefined): Required<Retries> {
  const { limit = 2, baseMs = 200, maxMs = 5_000, maxRetryAfterMs = 30_000 } =
    typeof given === 'number' ? { limit: given } : (given ?? {});
  return { limit, baseMs, maxMs, maxRetryAfterMs };
}

/** How long to wait before a try: anything up to twice as long each time, so that many clients do not come at once. */
export function jitterMs(retries: Required<Retries>, tries: number): number {
  return Math.random() * Math.min(retries.maxMs, retries.baseMs * 2 ** (tries - 1));
}

/** What a Retry-After says, in seconds or as a date. */
export function retryAfterMs(headers: Headers, now = Date.now()): number | undefined {
  const value = headers.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** Waits, or rejects with the signal's reason. */
export function wait(ms: number, signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}
