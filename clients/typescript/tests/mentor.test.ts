import { SteadProblem } from '@stead/client';
import { expect, it } from 'vitest';
import { as, given, refused, service } from './given.js';

async function open(): Promise<string> {
  return (await as('mentor').sessions.open({ orgId: given.tenant, context: { craft: 'tattoos' } })).sessionId;
}

it('generates what an agent makes of the answers', async () => {
  const sessionId = await open();
  await service().POST('/v1/agents', { body: { slug: 'portraitist', name: 'Portraitist', generates: 'portrait' } });
  await service().POST('/v1/agents/{slug}/versions', {
    params: { path: { slug: 'portraitist' } },
    body: { instructions: 'Say who this is.' },
  });
  expect(await as('mentor').generated('portrait', sessionId)).toBeNull();
  const { content, runId } = await as('mentor').generate('portrait', { sessionId });
  expect(content).not.toBe('');
  expect(await as('mentor').generated('portrait', sessionId)).toEqual({ content, runId });
  const { data } = await as('mentor').GET('/v1/runs/{run_id}', { params: { path: { run_id: runId } } });
  expect(data).toMatchObject({ agent_name: 'portraitist', status: 'completed', session_id: sessionId });
  expect((await refused(SteadProblem, as('mentor').generate('landscape', { sessionId }))).status).toBe(404);
});

it('sends events, each once', async () => {
  const sessionId = await open();
  const viewed = {
    id: crypto.randomUUID(),
    event: 'step.viewed',
    properties: { sessionId, phase: 'discovery', step: 'day-rate', stepType: 'question' },
  } as const;
  const stead = as('mentor');
  const { id: _, ...another } = viewed;
  expect(await stead.events.send(viewed)).toEqual({ accepted: 1, repeated: 0 });
  expect(await stead.events.send([viewed, another])).toEqual({ accepted: 1, repeated: 1 });
  const unknown = { event: 'step.dreamt', properties: {} } as never;
  expect((await refused(SteadProblem, stead.events.send(unknown))).status).toBe(422);
  const { events } = await stead.events.catalog();
  const phase = events.find((event) => event.name === viewed.event)?.properties.find(({ name }) => name === 'phase');
  expect(phase).toMatchObject({ type: 'label', required: true });
});
