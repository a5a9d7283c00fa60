import { createStead, SteadProblem } from '@stead/client';
import { describe, expect, it } from 'vitest';
import { as, given, person, refused, service } from './given.js';

describe('sessions', () => {
  it('opens, reads, changes, lists and completes', async () => {
    const stead = as('sessions');
    const { sessionId, sessionToken } = await stead.sessions.open({ orgId: given.tenant, context: { city: 'Lisbon' } });
    expect(sessionToken).toBeUndefined();
    const changed = await stead.sessions.update(sessionId, { name: 'Ann', context: { pricing: { dayRate: 300 } } });
    expect(changed).toEqual({ success: true, sessionId });
    const session = await stead.sessions.get(sessionId);
    expect(session).toMatchObject({
      id: sessionId,
      name: 'Ann',
      status: 'in_progress',
      context: { city: 'Lisbon', pricing: { dayRate: 300 } },
    });
    expect(await stead.sessions.complete(sessionId, { context: { goal: 'more clients' } })).toEqual({ success: true });
    const { items } = await stead.sessions.list({ status: 'completed', limit: 10 });
    expect(items.map((item) => item.id)).toEqual([sessionId]);
    expect(await stead.sessions.messages(sessionId)).toEqual({ items: [], next_after: null });
  });

  it('opens one for nobody in particular, and gives it to who signs in', async () => {
    const nobody = createStead({ baseUrl: given.url });
    const { sessionId, sessionToken } = await nobody.sessions.open({ orgId: given.tenant });
    if (!sessionToken) throw new Error('no token holds it');
    const holder = nobody.as({ sessionToken });
    await holder.sessions.update(sessionId, { context: { city: 'Porto' } });
    const { id, token } = person('linking');
    // As Clerk's getToken: asked when it is needed.
    const signedIn = nobody.as({ token: async () => token, sessionToken: () => sessionToken });
    expect(await signedIn.sessions.link(sessionId, { clerkUserId: id })).toEqual({ success: true, sessionId });
    expect(await as('linking').sessions.get(sessionId)).toMatchObject({ linked: true, context: { city: 'Porto' } });
    await refused(SteadProblem, holder.sessions.get(sessionId));
  });

  it('keeps what others may not see', async () => {
    const { sessionId } = await as('sessions').sessions.open({ orgId: given.tenant });
    const stranger = createStead({ baseUrl: given.url, token: given.stranger.token });
    const problem = await refused(SteadProblem, stranger.sessions.get(sessionId));
    expect(problem).toMatchObject({ status: 404, code: 'session_unknown' });
    expect(await service().sessions.get(sessionId)).toMatchObject({ id: sessionId });
  });
});

describe('other routes', () => {
  it('are called by their templates, or by any path', async () => {
    const stead = service();
    const made = await stead.POST('/v1/api-keys', { body: { name: 'front', scopes: ['sessions'] } });
    expect(made.response.status).toBe(201);
    const withKey = stead.as({ apiKey: made.data.key });
    expect((await withKey.GET('/api/sessions', { params: { query: { limit: 1 } } })).data.items).toHaveLength(1);
    const denied = await refused(SteadProblem, withKey.agents.list());
    expect(denied.status).toBe(403);
    const gone = await stead.DELETE('/v1/api-keys/{key_id}', { params: { path: { key_id: made.data.id } } });
    expect(gone.response.status).toBe(204);
    expect(await (await stead.send('/api/status')).json()).toMatchObject({ status: 'ok' });
    await refused(TypeError, stead.send('.example.com/api/status'));
    for (const id of ['..', '.', '']) await refused(TypeError, stead.sessions.messages(id));
  });
});
