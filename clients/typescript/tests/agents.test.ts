import { beforeAll, expect, it } from 'vitest';
import { as, given, offer } from './given.js';

beforeAll(async () => {
  await offer('hanna', 'Hires backend engineers', 200);
  await offer('milo', 'Paints houses', 90);
});

it('finds, compares, asks and waits for agents', async () => {
  const stead = as('agents');
  const { items } = await stead.agents.list({ q: 'engineers', tag: ['hiring'], max_price: 250 });
  expect(items[0]).toMatchObject({ slug: 'hanna', base_rate: 200 });
  expect((await stead.agents.get('hanna')).agent.tags).toEqual([{ slug: 'hiring', label: 'hiring' }]);

  const compared = await stead.agents.compare({ goal: 'Two backend engineers by May', agents: ['hanna', 'milo'] });
  expect(compared.candidates.map((each) => each.agent.slug)).toEqual(['hanna', 'milo']);
  expect(compared.candidates[0]?.rationale.length).toBeGreaterThan(0);
  const kept = await stead.agents.candidates(compared.session_id);
  expect(kept.candidates.map((each) => each.fit_score)).toEqual(compared.candidates.map((each) => each.fit_score));

  const ran = await stead.agents.run({ session_id: compared.session_id, prompt: 'When?', agent: 'hanna' });
  expect(ran).toMatchObject({ agent: 'hanna', status: 'completed', error: null, session_id: compared.session_id });
  expect(ran.output).not.toBe('');

  const entry = await stead.waitlist.join({ agent_session_id: compared.session_id, agent: 'hanna', message: 'In May' });
  expect(entry).toMatchObject({ agent: 'hanna', status: 'new', session_id: compared.session_id });
});

it('talks to an agent in a session of its own', async () => {
  const stead = as('agents');
  const answer = await stead.agents.chat({ agent: 'hanna', message: 'I need an engineer in Lisbon.' });
  const said = await answer.text();
  const { items } = await stead.sessions.messages(answer.sessionId);
  expect(items.map((item) => item.role)).toEqual(['user', 'assistant']);
  expect(items[1]?.parts).toContainEqual(expect.objectContaining({ type: 'text', text: said }));
});

it('stores, finds and lists memories', async () => {
  const stead = as('memories');
  const { stored } = await stead.memories.store({
    memories: [{ content: 'Ann plays the cello.' }, { content: 'Ann lives in Lisbon.', importance: 0.9 }],
  });
  expect(stored).toHaveLength(2);
  const found = await stead.memories.search({ query: 'Which instrument does Ann play?', limit: 1, explain: true });
  expect(found.items[0]).toMatchObject({ content: 'Ann plays the cello.', kind: 'fact', source: 'api' });
  expect(found.items[0]?.scores?.lexical).toBeGreaterThan(0);
  const { items } = await stead.memories.list({ kinds: ['fact'], limit: 50 });
  expect(items.map((item) => item.content).sort()).toEqual(['Ann lives in Lisbon.', 'Ann plays the cello.']);
  expect(given.people['memories']?.id).toBe(items[0]?.profile_id);
});
