// People look for an agent, compare a few, talk to one, and ask for it.

import { useState } from 'react';

import { useAction, useLoaded } from '../actions.ts';
import { Chat } from '../Chat.tsx';
import { useConfig } from '../config.tsx';
import { useIdentity } from '../identity.tsx';
import { Problem } from '../Problem.tsx';
import { useStead, type Agent, type Candidate } from '../stead.ts';
import { useStored } from '../storage.ts';
import { Agents, type Search } from './Agents.tsx';
import { Comparing, Comparison } from './Comparison.tsx';
import { Waitlist } from './Waitlist.tsx';

export function Marketplace() {
  const { person } = useIdentity();
  if (person === null) return <p>Sign in to see who is for hire.</p>;
  return <Market key={person.email} who={person.email} />;
}

/** Where somebody is: the session that comparison, chat and waitlist share, and whom they turned to. */
interface Place {
  sessionId: string;
  chatting?: Chosen;
}
type Chosen = Pick<Agent, 'slug' | 'name'>;

function Market({ who }: { who: string }) {
  const { orgId } = useConfig().marketplace;
  const stead = useStead(orgId);
  // Each person's own: the next one at this browser begins anew.
  const [place, setPlace] = useStored<Place>(`market:${who}`);
  const [search, setSearch] = useState<Search>({});
  const [picked, setPicked] = useState<string[]>([]);
  const [waiting, setWaiting] = useState<Chosen | null>(null);
  const [turned, setTurned] = useState(false);
  const [compared, setCompared] = useState<Candidate[] | null>(null);
  const found = useLoaded((signal) => stead.agents.list(search, { signal }), [stead, search]);
  // After a reload, or on the way back: what was compared is kept with the session.
  const kept = useLoaded(
    async (signal) => (place === null ? null : await stead.agents.candidates(place.sessionId, { signal })),
    [stead, place?.sessionId],
  );

  const comparing = useAction(async (wish: { goal: string; max_price?: number }) => {
    const made = await stead.agents.compare({
      ...wish,
      agents: picked,
      limit: picked.length || 5,
      session_id: place?.sessionId ?? null,
    });
    setCompared(made.candidates);
    setPlace({ ...place, sessionId: made.session_id });
  });
  const chatting = useAction(async (agent: Chosen) => {
    const sessionId = place?.sessionId ?? (await stead.sessions.open({ orgId })).sessionId;
    setPlace({ sessionId, chatting: { slug: agent.slug, name: agent.name } });
    setTurned(true);
  });

  const candidates = compared ?? kept.data?.candidates ?? [];
  const choices = { onChat: (agent: Chosen) => void chatting.run(agent), onWait: setWaiting };
  return (
    <>
      <Agents
        found={found.data?.items ?? null}
        picked={picked}
        onPick={(slug, on) =>
          setPicked((before) => (on ? [...before, slug] : before.filter((other) => other !== slug)))
        }
        onSearch={setSearch}
        {...choices}
      />
      <Problem of={found.error} />
      <Comparing picked={picked} busy={comparing.busy} onCompare={(wish) => void comparing.run(wish)} />
      <Problem of={comparing.error ?? kept.error ?? chatting.error} />
      {candidates.length > 0 && <Comparison candidates={candidates} focus={compared !== null} {...choices} />}
      {place?.chatting && (
        <Chat
          key={`${place.sessionId}/${place.chatting.slug}`}
          orgId={orgId}
          sessionId={place.sessionId}
          agent={place.chatting.slug}
          name={place.chatting.name}
          focus={turned}
        />
      )}
      {waiting && (
        <Waitlist key={waiting.slug} orgId={orgId} agent={waiting} sessionId={place?.sessionId ?? null} />
      )}
      {place && (
        <p>
          <button
            type="button"
            onClick={() => {
              setPlace(null);
              setCompared(null);
              setWaiting(null);
            }}
          >
            Start over
          </button>
        </p>
      )}
    </>
  );
}
