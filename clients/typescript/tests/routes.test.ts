// The route handlers of the documentation, called as Next.js calls them, before the real server.
import { describe, expect, it } from 'vitest';
import { POST as chat } from '../examples/app/api/chat/route';
import { POST as compare } from '../examples/app/api/agents/compare/route';
import { as, given, offer, person } from './given.js';

function request(path: string, body: string, headers: Record<string, string> = {}): Request {
  return new Request(`https://app.example.com${path}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const cookie = { cookie: `theme=dark; access_token=${person('routes').token}` };

describe.each([
  ['/api/chat', chat],
  ['/api/agents/compare', compare],
])('the guard of %s', (path, handle) => {
  it('lets nobody in who is not signed in', async () => {
    const answer = await handle(request(path, '{}'));
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'not_signed_in' });
  });

  it('lets nobody in whose token is worth nothing', async () => {
    const answer = await handle(request(path, '{}', { cookie: 'access_token=forged' }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it.each(['', '[]', 'null', '{'])('refuses the body %j', async (body) => {
    expect((await handle(request(path, body, cookie))).status).toBe(400);
  });

  it('refuses what a page of another site could send', async () => {
    const answer = await handle(request(path, '{"goal": "x"}', { ...cookie, 'content-type': 'text/plain' }));
    expect(answer.status).toBe(400);
  });

  it('passes on what the server says is wrong', async () => {
    const answer = await handle(request(path, '{"limit": 0, "sessionId": "none"}', cookie));
    expect(answer.status).toBe(422);
    expect((await answer.json()).errors.length).toBeGreaterThan(0);
  });
});

describe('a route handler', () => {
  it('passes the stream on as useChat wants it', async () => {
    const { sessionId } = await as('routes').sessions.open({ orgId: given.tenant });
    const messages = [{ id: 'm1', role: 'user', parts: [{ type: 'text', text: 'Hello' }] }];
    const body = { id: sessionId, messages, trigger: 'submit-message' };
    const answer = await chat(request('/api/chat', JSON.stringify(body), cookie));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(answer.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1');
    expect(answer.headers.get('x-stead-session')).toBe(sessionId);
    const text = await answer.text();
    expect(text.startsWith('data: {"type":"start"')).toBe(true);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('gives the page of a comparison what it shows', async () => {
    await offer('olga', 'Finds customers', 120);
    const wish = JSON.stringify({ goal: 'Somebody who hires' });
    const answer = await compare(request('/api/agents/compare', wish, cookie));
    expect(answer.status).toBe(201);
    const { sessionId, candidates } = await answer.json();
    expect(await as('routes').sessions.get(sessionId)).toMatchObject({ status: 'in_progress' });
    expect(Object.keys(candidates[0])).toEqual(['slug', 'name', 'score', 'why']);
  });
});
