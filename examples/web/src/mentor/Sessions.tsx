import { useLoaded } from '../actions.ts';
import { Problem } from '../Problem.tsx';
import type { Session, Stead } from '../stead.ts';
import { answerIn, QUESTIONS } from './questions.ts';

interface SessionsProps {
  stead: Stead;
  onContinue: (sessionId: string) => void;
}

/** What somebody who is signed in did before, on whichever device. */
export function Sessions({ stead, onContinue }: SessionsProps) {
  const { data, error } = useLoaded((signal) => stead.sessions.list({}, { signal }), [stead]);
  return (
    <section aria-label="Your sessions">
      <h2>Welcome back</h2>
      <Problem of={error} />
      {data?.items.length === 0 && <p className="quiet">There is nothing yet.</p>}
      <ul className="cards">
        {data?.items.map((session) => (
          <li key={session.id}>
            <p>
              <time dateTime={session.created_at}>{new Date(session.created_at).toLocaleString()}</time>
            </p>
            <ul>
              {saidIn(session).map(({ label, answer }) => (
                <li key={label}>
                  {label} <strong>{answer}</strong>
                </li>
              ))}
            </ul>
            <button type="button" onClick={() => onContinue(session.id)}>
              Go on with this
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function saidIn({ context }: Session): { label: string; answer: string }[] {
  return QUESTIONS.flatMap((question) => {
    const answer = answerIn(context, question);
    return answer === null ? [] : [{ label: question.label, answer }];
  });
}
