// 003's events, fired where they happen, by one function: to PostHog where it is on the page, and to Stead, whose funnel
// is made of them. What only a server knows (how long an answer took, what was paid) Stead records by itself.

import type { SteadEvent } from '@stead/client';
import { useMemo } from 'react';

import type { Stead } from './stead.ts';

type Name = SteadEvent['event'];
/** What the catalogue has of an event. */
type Properties<N extends Name> = Extract<SteadEvent, { event: N }>['properties'];

export type Track = <N extends Name>(name: N, properties: Properties<N>) => void;

declare global {
  interface Window {
    /** Where PostHog's snippet is on the page. */
    posthog?: { capture: (name: string, properties: object) => void };
  }
}

/** Stead has seen these itself, and does not take a browser's word for them. */
const SEEN_BY_STEAD: ReadonlySet<Name> = new Set(['session.created', 'session.authenticated']);

export function useTrack(stead: Stead): Track {
  return useMemo(
    () => (name, properties) => {
      window.posthog?.capture(name, properties);
      if (SEEN_BY_STEAD.has(name)) return;
      // Nobody waits for it, and nothing fails with it.
      stead.events
        .send({ event: name, properties } as SteadEvent)
        .catch((error: unknown) => console.warn(`${name} was not recorded`, error));
    },
    [stead],
  );
}
