import { createStead, SteadProblem } from '@stead/client';
import { describe, expect, it } from 'vitest';
import { as, given, person, refused, service } from './given.js';

describe('a refusal', () => {
  it('says who nobody is (401)', async () => {
    const stead = createStead({ baseUrl: given.url, token: `${person('problems').token}x` });
    const problem = await refused(SteadProblem, stead.sessions.list());
    expect(problem.status).toBe(401);
    expect(problem.code).toMatch(/^token_/);
    // A guard that found nobody sends nothing.
    const nobody = createStead({ baseUrl: given.url, token: () => null });
    expect((await refused(SteadProblem, nobody.sessions.list())).code).toBe('credentials_missing');
  });

  it('says what is not there (404)', async () => {
    const problem = await refused(SteadProblem, as('problems').sessions.get(crypto.randomUUID()));
    expect(problem).toMatchObject({ status: 404, code: 'session_unknown', name: 'SteadProblem', errors: [] });
    expect(problem.title).not.toBe('');
    expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(problem.message).toContain('session_unknown');
  });

  it('says which fields are wrong (422)', async () => {
    const wrong = { orgId: given.tenant, email: 'nowhere', colour: 'red' };
    const problem = await refused(SteadProblem, as('problems').sessions.open(wrong));
    expect(problem).toMatchObject({ status: 422, code: 'request_invalid' });
    expect(problem.errors.map((error) => error.where).sort()).toEqual(['body.colour', 'body.email']);
    const answer = problem.toResponse();
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'request_invalid', errors: problem.errors });
  });

  it('says what a service alone may do (403)', async () => {
    const problem = await refused(SteadProblem, as('problems').GET('/v1/api-keys'));
    expect(problem.status).toBe(403);
    expect(problem.hint).toBeDefined();
    expect((await service().GET('/v1/api-keys')).response.status).toBe(200);
  });

  it('says when to come again (429), and is tried again then', async () => {
    const statuses: number[] = [];
    const counting = async (url: string, init: RequestInit) => {
      const answer = await fetch(url, init);
      statuses.push(answer.status);
      return answer;
    };
    const once = { baseUrl: given.limitedUrl, fetch: counting };
    // The window moves: how many calls it takes to run into it is the machine's business.
    const impatient = as('impatient', { ...once, retries: 0 });
    let problem: SteadProblem | undefined;
    while (!problem) await impatient.sessions.list().catch((error: SteadProblem) => (problem = error));
    expect(problem).toMatchObject({ status: 429, code: 'rate_limited', retryAfterMs: 1000 });
    expect(problem.toResponse().headers.get('retry-after')).toBe('1');

    statuses.length = 0;
    const patient = as('patient', { ...once, retries: { limit: 1, baseMs: 1 } });
    while (!statuses.includes(429)) await patient.sessions.list();
    expect(statuses.slice(-2)).toEqual([429, 200]);
  });
});
