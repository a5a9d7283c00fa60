// Who is signed in. This file stands in for an identity provider's SDK: a product with Clerk has `<ClerkProvider>`,
// `useUser()` and `useAuth().getToken()` in its place, and nothing else here changes.

import { createContext, use, useMemo, type ReactNode } from 'react';

import { useConfig } from './config.tsx';
import { useStored } from './storage.ts';

export interface Person {
  email: string;
  /** A token that is good right now, for the organisation that the page belongs to. */
  getToken(orgId: string): Promise<string>;
}

interface Identity {
  person: Person | null;
  signIn(email: string): Promise<void>;
  signOut(): void;
}

const IdentityContext = createContext<Identity | null>(null);
const SPARE_S = 10;

export function Identified({ children }: { children: ReactNode }) {
  const { tokenUrl, marketplace } = useConfig();
  const [email, setEmail] = useStored<string>('signed-in-as');
  const identity = useMemo<Identity>(() => {
    const personOf = (email: string): Person => ({ email, getToken: tokensOf(tokenUrl, email) });
    return {
      person: email === null ? null : personOf(email),
      async signIn(email) {
        await personOf(email).getToken(marketplace.orgId); // Whoever gets none is not signed in.
        setEmail(email);
      },
      signOut: () => setEmail(null),
    };
  }, [tokenUrl, marketplace.orgId, email, setEmail]);
  return <IdentityContext value={identity}>{children}</IdentityContext>;
}

export function useIdentity(): Identity {
  const identity = use(IdentityContext);
  if (identity === null) throw new Error('outside of <Identified>');
  return identity;
}

/** Whom a token proves. Only Stead checks it; here it says no more than `useUser().user.id` would. */
export const subjectOf = (token: string): string => claimsOf(token).sub;

function claimsOf(token: string): { sub: string; exp: number } {
  const claims = token.split('.')[1] ?? '';
  return JSON.parse(atob(claims.replaceAll('-', '+').replaceAll('_', '/'))) as { sub: string; exp: number };
}

/** Tokens live for about a minute: one is kept until shortly before its end. */
function tokensOf(tokenUrl: string, email: string): Person['getToken'] {
  const kept = new Map<string, Promise<{ token: string; until: number }>>();
  return async function getToken(orgId) {
    const known = await kept.get(orgId)?.catch(() => null);
    if (known && known.until > Date.now()) return known.token;
    const asked = ask(tokenUrl, orgId, email);
    kept.set(orgId, asked);
    return (await asked).token;
  };
}

async function ask(tokenUrl: string, org: string, user: string): Promise<{ token: string; until: number }> {
  const answer = await fetch(`${tokenUrl}?${new URLSearchParams({ org, user })}`);
  if (!answer.ok) throw new Error(`There is no token for ${user} (${answer.status}).`);
  const { token } = (await answer.json()) as { token: string };
  return { token, until: (claimsOf(token).exp - SPARE_S) * 1000 };
}
