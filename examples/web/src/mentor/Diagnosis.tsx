import { useEffect } from 'react';

import { useLoaded } from '../actions.ts';
import { Problem } from '../Problem.tsx';
import type { Stead } from '../stead.ts';

interface DiagnosisProps {
  stead: Stead;
  sessionId: string;
  onServed: () => void;
}

/** What the mentor makes of the answers: made once, and read again on the next visit, on any device. */
export function Diagnosis({ stead, sessionId, onServed }: DiagnosisProps) {
  const made = useLoaded(
    async (signal) => {
      const earlier = await stead.generated('diagnosis', sessionId, { signal });
      const { content } = earlier ?? (await stead.generate('diagnosis', { sessionId }, { signal }));
      return { content, isNew: earlier === null };
    },
    [stead, sessionId],
  );
  const words = made.data?.content ?? null;
  const isNew = made.data?.isNew === true;
  useEffect(() => {
    if (isNew) onServed();
    // Once for each diagnosis that was made.
  }, [isNew]);
  return (
    <section aria-label="Diagnosis" aria-busy={words === null && made.error === null}>
      <h2>Where you stand</h2>
      {words !== null ? <p className="words">{words}</p> : made.error === null && <p role="status">Thinking…</p>}
      <Problem of={made.error} />
    </section>
  );
}
