// The TypeScript client, as whoever uses this page.

import { createStead, SteadProblem, type Schemas, type Stead } from '@stead/client';
import type { UIMessage } from 'ai';
import { useMemo } from 'react';

import { useConfig } from './config.tsx';
import { useIdentity } from './identity.tsx';

export type { Stead };
export type Agent = Schemas['ListingOut'];
export type Candidate = Schemas['CandidateOut'];
export type Session = Schemas['SessionOut'];

export function useStead(orgId: string): Stead {
  const { apiUrl } = useConfig();
  const { person } = useIdentity();
  return useMemo(
    () =>
      createStead({
        baseUrl: apiUrl,
        // Asked for before each request: tokens live for about a minute.
        token: () => person?.getToken(orgId),
        // A visitor's session is held by an HttpOnly cookie, which no script of this page can read.
        fetch: (url, init) => fetch(url, { ...init, credentials: 'include' }),
      }),
    [apiUrl, person, orgId],
  );
}

/** All that was said in a session, as `useChat` takes it. */
export async function messagesOf(stead: Stead, sessionId: string, signal: AbortSignal): Promise<UIMessage[]> {
  const said: UIMessage[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: Schemas['MessagePage'] = await stead.sessions.messages(sessionId, { after, limit: 500 }, { signal });
    said.push(...(page.items as unknown as UIMessage[]));
    after = page.next_after;
  }
  return said;
}

/** What went wrong, in words for people: `title` and `detail` of a problem document, and how to mend it. */
export function explain(error: unknown): string {
  if (error instanceof SteadProblem) return worded(error.title, error.detail, error.hint);
  const message = error instanceof Error ? error.message : String(error);
  try {
    // `useChat` has the document as the message of its error.
    const { title, detail, hint } = JSON.parse(message) as Record<string, string | undefined>;
    return worded(title ?? message, detail, hint);
  } catch {
    return message;
  }
}

function worded(...sentences: (string | undefined)[]): string {
  return sentences
    .filter((sentence): sentence is string => Boolean(sentence))
    .map((sentence) => sentence.charAt(0).toUpperCase() + sentence.slice(1))
    .map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`))
    .join(' ');
}
