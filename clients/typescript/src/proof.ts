import type { Proof, Provided } from './options.js';
import { Signer } from './signing.js';

/** Proves who calls, try by try. */
export interface Prover {
  /** Headers for these bytes. */
  headers(body: Uint8Array): Promise<Record<string, string>>;
}

/** What proves it.
 *
 * @throws TypeError: two proofs at once, or one that cannot be used.
 */
export function prover(proof: Proof): Prover {
  const given = [proof.apiKey, proof.token ?? proof.sessionToken, proof.serviceSecret];
  if (given.filter((each) => each !== undefined).length > 1) {
    throw new TypeError('one of apiKey, token (or sessionToken) and serviceSecret is taken');
  }
  if (proof.apiKey !== undefined) {
    const headers = { authorization: `Bearer ${proof.apiKey}` };
    return { headers: async () => headers };
  }
  if (proof.serviceSecret !== undefined) {
    const signer = new Signer(proof.serviceSecret, proof.tenant);
    return { headers: (body) => signer.headers(body) };
  }
  return {
    async headers() {
      const [token, session] = await Promise.all([provided(proof.token), provided(proof.sessionToken)]);
      return {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(session ? { 'x-session-token': session } : {}),
      };
    },
  };
}

async function provided<T>(given: Provided<T>): Promise<T> {
  return typeof given === 'function' ? await (given as () => T | Promise<T>)() : given;
}
