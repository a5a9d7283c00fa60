import { createStead, SteadProblem, SteadStreamBroken, SteadUnreachable } from '@stead/client';
import { describe, expect, it } from 'vitest';
import { Gateway } from './gateway.js';
import { as, given, refused, service } from './given.js';

const quick = { limit: 2, baseMs: 1 };

describe('a lost connection', () => {
  it('opens one session, with one key for all tries', async () => {
    await using gateway = await Gateway.open('lose', 'halve');
    const stead = as('retries', { baseUrl: gateway.url, retries: quick });
    const { sessionId } = await stead.sessions.open({ orgId: given.tenant });
    const keys = gateway.heard.map((each) => each.headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    const { items } = await stead.sessions.list();
    expect(items.map((item) => item.id)).toEqual([sessionId]);
  });

  it('stores a message once, and gives its answer', async () => {
    await using gateway = await Gateway.open();
    const stead = as('lost', { baseUrl: gateway.url, retries: quick });
    const { sessionId } = await stead.sessions.open({ orgId: given.tenant });
    await using losing = await Gateway.open('lose', 'refuse');
    const answer = await as('lost', { baseUrl: losing.url, retries: quick }).chat.stream({ sessionId, message: 'Hi' });
    const said = await answer.text();
    expect(losing.heard).toHaveLength(3);
    const { items } = await stead.sessions.messages(sessionId);
    expect(items.map((item) => item.parts.at(-1)?.['text'])).toEqual(['Hi', said]);
  });

  it('is not tried again where twice would be two', async () => {
    await using gateway = await Gateway.open('lose', 'lose');
    const stead = as('twice', { baseUrl: gateway.url, retries: quick });
    const link = stead.sessions.link(crypto.randomUUID(), { clerkUserId: 'user_1' });
    expect(await refused(SteadUnreachable, link)).toMatchObject({ tries: 1, timedOut: false });
    // Nobody has nothing that a key could belong to.
    const nobody = createStead({ baseUrl: gateway.url, retries: quick });
    await refused(SteadUnreachable, nobody.sessions.open({ orgId: given.tenant }));
    expect(gateway.heard.map((each) => each.headers['idempotency-key'])).toEqual([undefined, undefined]);
  });

  it('is given up after all tries', async () => {
    await using gateway = await Gateway.open('refuse', 'refuse', 'refuse');
    const stead = as('twice', { baseUrl: gateway.url, retries: quick });
    const error = await refused(SteadUnreachable, stead.sessions.list());
    expect(error.tries).toBe(3);
    expect(gateway.heard).toHaveLength(3);
  });

  it('is not tried again once a stream has begun; the answer is there', async () => {
    const slow = as('cut', { baseUrl: given.slowUrl });
    const { sessionId } = await slow.sessions.open({ orgId: given.tenant });
    await using gateway = await Gateway.open('cut');
    gateway.upstream = given.slowUrl; // so that there is something after the first piece
    const stead = as('cut', { baseUrl: gateway.url, retries: quick });
    const answer = await stead.chat.stream({ sessionId, message: 'I live in Lisbon.' });
    await refused(SteadStreamBroken, answer.text());
    expect(gateway.heard).toHaveLength(1);
    await (await slow.chat.resume(sessionId))?.text();
    expect((await slow.sessions.messages(sessionId)).items).toHaveLength(2);
  });
});

describe('a gateway that is busy', () => {
  it('is waited for, as long as it says and no longer than is bearable', async () => {
    await using gateway = await Gateway.open({ status: 503, retryAfter: '0' }, { status: 502 });
    const stead = as('retries', { baseUrl: gateway.url, retries: quick });
    expect((await stead.sessions.list()).items.length).toBeGreaterThan(0);
    expect(gateway.heard).toHaveLength(3);

    await using closed = await Gateway.open({ status: 503, retryAfter: '3600' });
    const problem = await refused(SteadProblem, as('retries', { baseUrl: closed.url }).sessions.list());
    expect(problem).toMatchObject({ status: 503, code: 'http_503', retryAfterMs: 3_600_000 });
    expect(closed.heard).toHaveLength(1);
  });

  it('that says nothing is too late', async () => {
    await using gateway = await Gateway.open('silence', 'silence');
    const stead = as('retries', { baseUrl: gateway.url, retries: { limit: 1, baseMs: 1 }, timeoutMs: 50 });
    const error = await refused(SteadUnreachable, stead.sessions.list());
    expect(error).toMatchObject({ timedOut: true, tries: 2 });
  });

  it('leads nowhere with a proof', async () => {
    await using gateway = await Gateway.open({ status: 307 });
    expect((await refused(SteadProblem, as('retries', { baseUrl: gateway.url }).sessions.list())).status).toBe(307);
  });

  it('is left at once by who aborts', async () => {
    const leaving = new AbortController();
    await using gateway = await Gateway.open({ status: 503, retryAfter: '20' });
    const reason = new Error('the page was closed');
    const leave = async (url: string, init: RequestInit) => {
      const answer = await fetch(url, init);
      setTimeout(() => leaving.abort(reason));
      return answer;
    };
    const stead = as('retries', { baseUrl: gateway.url, fetch: leave });
    await expect(stead.sessions.list({}, { signal: leaving.signal })).rejects.toBe(reason);
    expect(gateway.heard).toHaveLength(1);
  });
});

describe('a signed call', () => {
  it('is signed anew for each try, and done once', async () => {
    await using gateway = await Gateway.open('lose', 'refuse');
    const stead = service({ baseUrl: gateway.url, retries: quick });
    const body = { source_type: 'note', content: `Signed ${crypto.randomUUID()}` };
    const { data } = await stead.POST('/v1/evidence', { body });
    const [first, second, third] = gateway.heard.map((each) => each.headers);
    expect(new Set([first, second, third].map((each) => each?.['webhook-id'])).size).toBe(3);
    expect(first?.['idempotency-key']).toBe(third?.['idempotency-key']);
    const found = await stead.GET('/v1/evidence', { params: { query: { source_type: 'note' } } });
    expect(found.data.map((each) => each.id)).toEqual([data.id]);
  });

  it('is refused when it is sent again, or changed', async () => {
    const sent: [string, RequestInit][] = [];
    const keeping = (url: string, init: RequestInit) => {
      sent.push([url, { ...init, headers: new Headers(init.headers), signal: null }]);
      return fetch(url, init);
    };
    const stead = service({ fetch: keeping });
    const { sessionId } = await stead.sessions.open({ orgId: given.tenant });
    expect(sessionId).toBeDefined();
    const [url, init] = sent[0] ?? ['', {}];
    expect(await (await fetch(url, init)).json()).toMatchObject({ status: 401, code: 'signature_replayed' });
    const changed = { ...init, body: JSON.stringify({ orgId: given.tenant, context: {} }) };
    expect(await (await fetch(url, changed)).json()).toMatchObject({ status: 401, code: 'signature_invalid' });
  });

  it('needs a secret that is one, and one proof alone', () => {
    const options = { baseUrl: given.url, tenant: given.tenant };
    expect(() => createStead({ ...options, serviceSecret: 'short' })).toThrow(TypeError);
    expect(() => createStead({ ...options, serviceSecret: 'whsec_!' })).toThrow(TypeError);
    expect(() => createStead({ baseUrl: given.url, apiKey: 'a', token: 'b' } as never)).toThrow(TypeError);
  });
});
