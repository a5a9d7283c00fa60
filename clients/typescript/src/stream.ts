import type { UIMessageChunk } from './chunks.js';
import { SteadStreamBroken } from './problems.js';

/** An answer as it is given: to be passed on as it is, or read chunk by chunk. One of the two, once. */
export interface ChatStream extends AsyncIterable<UIMessageChunk> {
  /** The server's answer, not read yet. */
  readonly response: Response;
  /** The session that the answer belongs to. */
  readonly sessionId: string;
  /** For a route handler: the stream as it is, with the headers that clients of the AI SDK want. */
  toResponse(headers?: Record<string, string>): Response;
  /** The text of the answer, at its end.
   *
   * @throws SteadStreamBroken: there was no end, or it is that of an answer that failed or was stopped.
   */
  text(): Promise<string>;
}

const BROKEN = 'the connection ended before the answer; chat.resume has all of it';
const PASSED_ON = [
  'content-type',
  'cache-control',
  'x-vercel-ai-ui-message-stream',
  'x-accel-buffering',
  'x-stead-session',
  'x-request-id',
];

/** The stream that an answer has. */
export function chatStream(response: Response, sessionId: string, signal?: AbortSignal | null): ChatStream {
  return {
    response,
    sessionId,
    toResponse(more = {}) {
      const headers = new Headers();
      for (const name of PASSED_ON) {
        const value = response.headers.get(name);
        if (value !== null) headers.set(name, value);
      }
      headers.set('x-stead-session', sessionId);
      for (const [name, value] of Object.entries(more)) headers.set(name, value);
      return new Response(response.body, { status: response.status, headers });
    },
    async text() {
      let said = '';
      for await (const chunk of this) {
        if (chunk.type === 'text-delta') said += chunk.delta;
        if (chunk.type === 'error') throw new SteadStreamBroken(chunk.errorText);
        if (chunk.type === 'abort') throw new SteadStreamBroken('the answer was stopped');
      }
      return said;
    },
    [Symbol.asyncIterator]: () => chunks(response, signal),
  };
}

/** Chunks, to the end. Whoever leaves the loop before only disconnects: `chat.stop` ends the run. */
async function* chunks(
  response: Response,
  signal: AbortSignal | null | undefined,
): AsyncGenerator<UIMessageChunk, void, undefined> {
  for await (const data of events(response, signal)) {
    if (data === '[DONE]') return;
    yield chunkOf(data);
  }
  throw new SteadStreamBroken(BROKEN);
}

function chunkOf(data: string): UIMessageChunk {
  try {
    return JSON.parse(data) as UIMessageChunk;
  } catch (error) {
    throw new SteadStreamBroken('what came is no chunk', { cause: error });
  }
}

/** The data of each server-sent event. */
async function* events(
  response: Response,
  signal: AbortSignal | null | undefined,
): AsyncGenerator<string, void, undefined> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await read(reader, signal);
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const each of lines) {
        const line = each.endsWith('\r') ? each.slice(0, -1) : each;
        if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
        else if (line === '' && data.length > 0) {
          yield data.join('\n');
          data = [];
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function read(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal | null | undefined,
): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
  try {
    return await reader.read();
  } catch (error) {
    signal?.throwIfAborted();
    throw new SteadStreamBroken(BROKEN, { cause: error });
  }
}
