import { createStead, type Stead, SteadProblem, SteadStreamBroken, type UIMessageChunk } from '@stead/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { as, given, refused } from './given.js';

/** Of a server whose answers have a middle. */
let stead: Stead;
let sessionId: string;

beforeEach(async () => {
  stead = as('chat', { baseUrl: given.slowUrl });
  ({ sessionId } = await stead.sessions.open({ orgId: given.tenant }));
});

async function all(stream: AsyncIterable<UIMessageChunk>): Promise<UIMessageChunk[]> {
  const found: UIMessageChunk[] = [];
  for await (const chunk of stream) found.push(chunk);
  return found;
}

function textOf(chunks: UIMessageChunk[]): string {
  return chunks.map((chunk) => (chunk.type === 'text-delta' ? chunk.delta : '')).join('');
}

async function stored(): Promise<string[]> {
  const { items } = await stead.sessions.messages(sessionId);
  return items.map((item) => item.parts.map((part) => part['text'] ?? '').join(''));
}

describe('a stream', () => {
  it('is read to its end', async () => {
    const answer = await as('chat').chat.stream({ sessionId, message: 'I play the cello.' });
    expect(answer.response.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    const chunks = await all(answer);
    expect(chunks[0]).toMatchObject({ type: 'start', messageMetadata: { sessionId, agent: 'concierge' } });
    expect(chunks.at(-1)).toMatchObject({ type: 'finish', messageMetadata: { status: 'completed' } });
    expect(await stored()).toEqual(['I play the cello.', textOf(chunks)]);
  });

  it('comes in whatever pieces', async () => {
    const byte = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        for (const each of piece) controller.enqueue(Uint8Array.of(each));
      },
    });
    const inBytes = async (url: string, init: RequestInit) => {
      const { body, status, headers } = await fetch(url, init);
      return url.endsWith('/api/chat') && body
        ? new Response(body.pipeThrough(byte), { status, headers })
        : new Response(body, { status, headers });
    };
    const answer = await as('chat', { fetch: inBytes }).chat.stream({ sessionId, message: 'Eu toco 🎻 às vezes.' });
    const said = await answer.text();
    expect(said).toContain('🎻 às vezes');
    expect(await stored()).toEqual(['Eu toco 🎻 às vezes.', said]);
  });

  it('that is none is broken', async () => {
    const page = async () => new Response('data: <h1>Sign in to the network</h1>\n\n');
    const answer = await as('chat', { fetch: page }).chat.stream({ sessionId, message: 'Hi' });
    await refused(SteadStreamBroken, answer.text());
  });

  it('takes what useChat sends', async () => {
    const answer = await as('chat').chat.stream({
      id: sessionId,
      trigger: 'submit-message',
      messages: [{ id: 'm1', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
    });
    const said = await answer.text();
    expect(await stored()).toEqual(['Hello', said]);
  });

  it('is left, and resumed from its beginning', async () => {
    const leaving = new AbortController();
    const answer = await stead.chat.stream({ sessionId, message: 'I live in Lisbon.' }, { signal: leaving.signal });
    const reason = new Error('the page was closed');
    const left = async () => {
      for await (const chunk of answer) if (chunk.type === 'text-delta') leaving.abort(reason);
    };
    await expect(left()).rejects.toBe(reason);
    const resumed = await stead.chat.resume(sessionId);
    if (!resumed) throw new Error('it did not go on');
    const chunks = await all(resumed);
    expect(chunks[0]?.type).toBe('start');
    expect(chunks.at(-1)?.type).toBe('finish');
    expect(await stored()).toEqual(['I live in Lisbon.', textOf(chunks)]);
    expect(await stead.chat.resume(sessionId)).toBeNull();
  });

  it('is stopped', async () => {
    const answer = await stead.chat.stream({ sessionId, message: 'Tell me more.' });
    let stopped: boolean | undefined;
    const chunks: UIMessageChunk[] = [];
    for await (const chunk of answer) {
      chunks.push(chunk);
      if (chunk.type === 'text-delta') stopped ??= (await stead.chat.stop(sessionId)).stopped;
    }
    expect(stopped).toBe(true);
    expect(chunks.at(-1)?.type).toBe('abort');
    expect(await stead.chat.stop(sessionId)).toEqual({ stopped: false, run_id: null });
  });

  it('that was stopped has no text', async () => {
    const answer = await stead.chat.stream({ sessionId, message: 'Tell me more.' });
    const broken = refused(SteadStreamBroken, answer.text());
    expect((await stead.chat.stop(sessionId)).stopped).toBe(true);
    expect((await broken).message).toContain('stopped');
  });

  it('refuses what is no message before it begins', async () => {
    const problem = await refused(SteadProblem, stead.chat.stream({ sessionId, message: ' ' }));
    expect(problem).toMatchObject({ status: 422, code: 'request_invalid' });
    const nobody = createStead({ baseUrl: given.url });
    expect(await refused(SteadProblem, nobody.chat.stream({ sessionId, message: 'Hi' }))).toMatchObject({
      status: 401,
      code: 'credentials_missing',
    });
  });
});
