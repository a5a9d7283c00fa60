// What the tests are run against: a real server with people of its own, started by tests/clients/test_typescript.py.
import { createStead, type ClientOptions, type Stead } from '@stead/client';

export interface Person {
  id: string;
  email: string;
  token: string;
}

interface Given {
  url: string;
  /** A server whose answers take more than a second. */
  slowUrl: string;
  /** A server that takes one request a second of each identity. */
  limitedUrl: string;
  tenant: string;
  serviceSecret: string;
  /** One for each file, so that none sees what another does. */
  people: Record<string, Person>;
  /** Somebody of another tenant. */
  stranger: Person;
}

function read(): Given {
  const text = process.env['STEAD_TEST'];
  if (!text) throw new Error('these tests need a server: run pytest tests/clients/test_typescript.py');
  return JSON.parse(text) as Given;
}

export const given = read();

export function person(name: string): Person {
  const found = given.people[name];
  if (!found) throw new Error(`there is no ${name}`);
  return found;
}

/** A client of a person. */
export function as(name: string, options: Partial<ClientOptions> = {}): Stead {
  return createStead({ baseUrl: given.url, token: person(name).token, ...options });
}

/** A client of the tenant's service, whose calls are signed. */
export function service(options: Partial<ClientOptions> = {}): Stead {
  return createStead({ baseUrl: given.url, serviceSecret: given.serviceSecret, tenant: given.tenant, ...options });
}

/** Puts an agent of the tenant up for hire. */
export async function offer(slug: string, tagline: string, rate: number): Promise<void> {
  const stead = service();
  await stead.POST('/v1/agents', { body: { slug, name: slug, tagline } });
  await stead.POST('/v1/agents/{slug}/versions', {
    params: { path: { slug } },
    body: { instructions: `${tagline}.\n{{memories}}` },
  });
  await stead.PUT('/v1/agents/{slug}/listing', {
    params: { path: { slug } },
    body: { base_rate: rate, rating: 4.5, industries: ['software'], tags: [{ slug: 'hiring' }] },
  });
}

/** What a promise rejects with, which must be of a kind. */
export async function refused<E extends Error>(
  kind: abstract new (...given: never[]) => E,
  promise: Promise<unknown>,
): Promise<E> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`not refused: ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof kind)) throw outcome.error;
  return outcome.error;
}
