import { SteadProblem } from '@stead/client';
import { expect, it } from 'vitest';
import { as, given, refused, service } from './given.js';

// What this server has: a client may be newer than its server, and then says so.
const document = (await (await service().send('/openapi.json')).json()) as { paths: Record<string, unknown> };
const has = (path: string) => path in document.paths;

async function open(): Promise<string> {
  return (await as('mentor').sessions.open({ orgId: given.tenant, context: { craft: 'tattoos' } })).sessionId;
}

it('generates what an agent makes of the answers', async () => {
  const sessionId = await open();
  if (!has('/api/generate/{type}')) {
    const problem = await refused(SteadProblem, as('mentor').generate('portrait', { sessionId }));
    expect(problem).toMatchObject({ status: 404, code: 'route_unknown' });
    return;
  }
  const body = { slug: 'portraitist', name: 'Portraitist', generates: 'portrait' };
  const headers = { 'content-type': 'application/json' };
  await service().send('/v1/agents', { method: 'POST', body: JSON.stringify(body), headers });
  await service().POST('/v1/agents/{slug}/versions', {
    params: { path: { slug: 'portraitist' } },
    body: { instructions: 'Say who this is.' },
  });
  const { content } = await as('mentor').generate('portrait', { sessionId });
  expect(content).not.toBe('');
  expect((await refused(SteadProblem, as('mentor').generate('landscape', { sessionId }))).status).toBe(404);
});

it('sends events, each once', async () => {
  const sessionId = await open();
  const viewed = {
    id: crypto.randomUUID(),
    event: 'step.viewed',
    properties: { sessionId, phase: 'discovery', step: 'day-rate', stepType: 'question' },
  } as const;
  if (!has('/api/events')) {
    const problem = await refused(SteadProblem, as('mentor').events.send(viewed));
    expect(problem).toMatchObject({ status: 404, code: 'route_unknown' });
    return;
  }
  const stead = as('mentor');
  const { id: _, ...another } = viewed;
  expect(await stead.events.send(viewed)).toMatchObject({ accepted: 1 });
  expect(await stead.events.send([viewed, another])).toMatchObject({ accepted: 1, repeated: 1 });
  const unknown = { event: 'step.dreamt', properties: {} } as never;
  expect((await refused(SteadProblem, stead.events.send(unknown))).status).toBe(422);
  expect(JSON.stringify(await stead.events.catalog())).toContain('"step.viewed"');
});
