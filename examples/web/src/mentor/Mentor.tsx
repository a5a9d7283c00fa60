// A visitor answers a few questions, is told where they stand, and talks to the mentor; signs in at some point, and is
// remembered from then on, here and on other devices.

import { useEffect, useState } from 'react';

import { useAction, useLoaded } from '../actions.ts';
import { Chat } from '../Chat.tsx';
import { useConfig } from '../config.tsx';
import { subjectOf, useIdentity } from '../identity.tsx';
import { Problem } from '../Problem.tsx';
import { useStead } from '../stead.ts';
import { useStored } from '../storage.ts';
import { useTrack } from '../track.ts';
import { Diagnosis } from './Diagnosis.tsx';
import { Offers } from './Offers.tsx';
import { Questions } from './Questions.tsx';
import { answeredIn, nextOf, patchOf, QUESTIONS, type Context, type Question } from './questions.ts';
import { Sessions } from './Sessions.tsx';

/** The session at this browser. `owner`: null while it is nobody's, and its cookie alone opens it. */
interface Held {
  sessionId: string;
  owner: string | null;
  skipped?: boolean;
}

const PHASE = { phase: 'questions' };

export function Mentor() {
  const { orgId } = useConfig().mentor;
  const { person } = useIdentity();
  const stead = useStead(orgId);
  const [held, hold] = useStored<Held>('mentor');
  const track = useTrack(stead);
  const opening = useAction(async () => {
    const { sessionId } = await stead.sessions.open({ orgId });
    hold({ sessionId, owner: person?.email ?? null });
    track('session.created', { orgId, sessionId });
  });
  const linking = useAction(async (held: Held) => {
    if (person === null) return;
    await stead.sessions.link(held.sessionId, { clerkUserId: subjectOf(await person.getToken(orgId)) });
    hold({ ...held, owner: person.email });
    track('session.authenticated', { sessionId: held.sessionId });
  });
  // Whoever signs in takes what they did as a visitor along. The session's cookie and their token prove both.
  const link = linking.run;
  useEffect(() => {
    if (person !== null && held !== null && held.owner === null) void link(held);
  }, [person, held, link]);

  const owner = person?.email ?? null;
  if (held !== null && held.owner === owner) {
    return (
      <Journey
        key={`${held.sessionId}/${owner}`}
        held={held}
        onSkip={() => hold({ ...held, skipped: true })}
        onLeave={() => hold(null)}
      />
    );
  }
  // Signed in, and the visitor's session is about to be theirs.
  if (held !== null && held.owner === null && linking.error === null) return <p role="status">One moment…</p>;
  return (
    <>
      <p>Three questions, and you know where you stand. No account is needed.</p>
      <p>
        <button type="button" disabled={opening.busy} onClick={() => void opening.run()}>
          Begin
        </button>
      </p>
      <Problem of={linking.error ?? opening.error} />
      {person !== null && (
        <Sessions stead={stead} onContinue={(sessionId) => hold({ sessionId, owner: person.email })} />
      )}
    </>
  );
}

interface JourneyProps {
  held: Held;
  onSkip: () => void;
  onLeave: () => void;
}

function Journey(props: JourneyProps) {
  const { sessionId } = props.held;
  const stead = useStead(useConfig().mentor.orgId);
  const { data, error } = useLoaded((signal) => stead.sessions.get(sessionId, { signal }), [stead, sessionId]);
  if (data !== null) return <Steps {...props} known={data.context} />;
  if (error === null) return <p role="status">Loading…</p>;
  return (
    <>
      <Problem of={error} />
      <button type="button" onClick={props.onLeave}>
        Start anew
      </button>
    </>
  );
}

function Steps({ held, known, onSkip, onLeave }: JourneyProps & { known: Context }) {
  const { mentor } = useConfig();
  const { person } = useIdentity();
  const stead = useStead(mentor.orgId);
  const track = useTrack(stead);
  const [context, setContext] = useState(known);
  const [began] = useState(() => Date.now());
  const { sessionId, skipped = false } = held;
  const step = nextOf(context);

  async function answer(question: Question, step: number, words: string) {
    await stead.sessions.update(sessionId, { context: patchOf(question, words) });
    track('step.completed', { sessionId, ...PHASE, step: question.name, stepType: question.stepType });
    if (step === QUESTIONS.length - 1) {
      track('phase.completed', { sessionId, ...PHASE, duration: Date.now() - began });
    }
    setContext(answeredIn(context, question, words));
  }

  return (
    <>
      {step >= 0 && !skipped ? (
        <Questions
          step={step}
          onSkip={onSkip}
          onAnswer={answer}
          onView={({ name, stepType }) => {
            if (step === 0) track('phase.started', { sessionId, ...PHASE });
            track('step.viewed', { sessionId, ...PHASE, step: name, stepType });
          }}
        />
      ) : (
        <>
          {step < 0 && (
            <Diagnosis
              stead={stead}
              sessionId={sessionId}
              onServed={() =>
                track('content.served', { sessionId, contentType: 'diagnosis', contentId: sessionId })
              }
            />
          )}
          <Chat
            orgId={mentor.orgId}
            sessionId={sessionId}
            agent={mentor.agent}
            name={mentor.name}
            onSent={(text) => track('chat.message_sent', { sessionId, messageLength: text.length })}
          />
          <Offers sessionId={sessionId} track={track} />
        </>
      )}
      {person === null ? (
        <p className="quiet">Sign in, and this is kept for you on every device.</p>
      ) : (
        <p>
          <button type="button" onClick={onLeave}>
            Your sessions
          </button>
        </p>
      )}
    </>
  );
}
