// What the compiler must and must not take. Nothing here is run: `npm run check` is the test.
import { createStead } from '@stead/client';
import type { AnswerOf, BodyOf, Schemas, SteadEvent, UIMessageChunk } from '@stead/client';
import { expectTypeOf } from 'vitest';

declare const sessionId: string;
const baseUrl = 'http://127.0.0.1:8787';
const stead = createStead({ baseUrl, token: async () => null });

// One proof, and a whole one.
createStead({ baseUrl });
createStead({ baseUrl, token: 'a', sessionToken: () => 'b' });
createStead({ baseUrl, serviceSecret: 'a', tenant: 'demo' });
// @ts-expect-error -- two proofs
createStead({ baseUrl, apiKey: 'a', token: 'b' });
// @ts-expect-error -- whose service?
createStead({ baseUrl, serviceSecret: 'a' });
// @ts-expect-error -- of which server?
createStead({ token: 'a' });

// Answers have the server's types.
expectTypeOf((await stead.sessions.open({ orgId: 'demo' })).sessionId).toEqualTypeOf<string>();
expectTypeOf((await stead.sessions.get(sessionId)).status).toEqualTypeOf<
  'in_progress' | 'completed' | 'abandoned' | 'failed' | 'timeout'
>();
expectTypeOf((await stead.agents.list()).items).toEqualTypeOf<Schemas['ListingOut'][]>();
expectTypeOf((await stead.agents.compare({ goal: 'x' })).candidates).toEqualTypeOf<Schemas['CandidateOut'][]>();
expectTypeOf(await stead.agents.run({ session_id: sessionId, prompt: 'x' })).toEqualTypeOf<Schemas['RanAgent']>();
expectTypeOf((await stead.memories.search({ query: 'x' })).items).toEqualTypeOf<Schemas['FoundMemory'][]>();
expectTypeOf((await stead.waitlist.join({ agent_session_id: sessionId, agent: 'x' })).status).toEqualTypeOf<
  'new' | 'contacted'
>();
expectTypeOf((await stead.GET('/api/agents')).data).toEqualTypeOf<AnswerOf<'get', '/api/agents'>>();
expectTypeOf((await stead.GET('/api/agents')).data.next_cursor).toEqualTypeOf<string | null>();
expectTypeOf(await stead.generate('diagnosis', { sessionId })).toEqualTypeOf<Schemas['Generated']>();
expectTypeOf(await stead.generated('diagnosis', sessionId)).toEqualTypeOf<Schemas['Generated'] | null>();

// Events are told apart by their names, and have the catalogue's properties.
expectTypeOf((await stead.events.catalog()).events).toEqualTypeOf<Schemas['EventTypeOut'][]>();
type Received = Extract<SteadEvent, { event: 'chat.message_received' }>;
expectTypeOf<Received['properties']['latency']>().toEqualTypeOf<number>();
expectTypeOf((await stead.events.send([])).accepted).toEqualTypeOf<number>();
stead.events.send({ event: 'session.created', properties: { orgId: 'demo', sessionId } });
// @ts-expect-error -- no such event
stead.events.send({ event: 'session.craeted', properties: { orgId: 'demo', sessionId } });
// @ts-expect-error -- a property is missing
stead.events.send({ event: 'session.created', properties: { orgId: 'demo' } });
// @ts-expect-error -- a property of another event
stead.events.send({ event: 'session.created', properties: { orgId: 'demo', sessionId, step: 1 } });

// Chunks are told apart by their type.
for await (const chunk of await stead.chat.stream({ sessionId, message: 'x' })) {
  expectTypeOf(chunk).toEqualTypeOf<UIMessageChunk>();
  if (chunk.type === 'text-delta') expectTypeOf(chunk.delta).toEqualTypeOf<string>();
  // @ts-expect-error -- only some chunks have a delta
  chunk.delta;
}

// Bodies, too.
expectTypeOf<BodyOf<'post', '/api/session'>>().toEqualTypeOf<Schemas['OpenSession']>();
expectTypeOf<BodyOf<'post', '/api/agents/compare'>['goal']>().toEqualTypeOf<string>();
// @ts-expect-error -- no such route
expectTypeOf<BodyOf<'post', '/api/sesion'>>();
// @ts-expect-error -- the organisation is missing
stead.sessions.open({});
// @ts-expect-error -- misspelt
stead.sessions.open({ orgId: 'demo', emial: 'ann@example.com' });
// @ts-expect-error -- a number
stead.sessions.update(sessionId, { name: 1 });
// @ts-expect-error -- there is no such status
stead.sessions.list({ status: 'done' });
// @ts-expect-error -- there is no such trigger
stead.chat.stream({ sessionId, message: 'x', trigger: 'again' });
// @ts-expect-error -- a goal is missing
stead.agents.compare({ limit: 3 });
// @ts-expect-error -- whether it streams is not up for choice
stead.agents.run({ session_id: sessionId, prompt: 'x', stream: true });
// @ts-expect-error -- no such agent field
stead.waitlist.join({ agent_session_id: sessionId, agent: 1 });
// @ts-expect-error -- no such kind
stead.memories.list({ kinds: ['feeling'] });

// Templates, their methods and parameters.
// @ts-expect-error -- no such route
stead.GET('/api/agent');
// @ts-expect-error -- no such method there
stead.DELETE('/api/agents');
// @ts-expect-error -- its parameter is missing
stead.GET('/v1/runs/{run_id}');
// @ts-expect-error -- its parameter has another name
stead.GET('/v1/runs/{run_id}', { params: { path: { id: 'x' } } });
// @ts-expect-error -- its body is missing
stead.POST('/api/session');
