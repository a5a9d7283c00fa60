import { useEffect } from 'react';

import { useLoaded } from '../actions.ts';
import { Problem } from '../Problem.tsx';
import type { Stead } from '../stead.ts';
import { useStored } from '../storage.ts';

interface DiagnosisProps {
  stead: Stead;
  sessionId: string;
  onServed: () => void;
}

/** What the mentor makes of the answers: made once, and kept for the next visit of this browser. */
export function Diagnosis({ stead, sessionId, onServed }: DiagnosisProps) {
  const [kept, keep] = useStored<string>(`diagnosis:${sessionId}`);
  const made = useLoaded(
    async (signal) => (kept === null ? (await stead.generate('diagnosis', { sessionId }, { signal })).content : null),
    [stead, sessionId],
  );
  useEffect(() => {
    if (made.data === null) return;
    keep(made.data);
    onServed();
    // Once for each diagnosis that was made.
  }, [made.data]);
  const words = kept ?? made.data;
  return (
    <section aria-label="Diagnosis" aria-busy={words === null && made.error === null}>
      <h2>Where you stand</h2>
      {words !== null ? <p className="words">{words}</p> : made.error === null && <p role="status">Thinking…</p>}
      <Problem of={made.error} />
    </section>
  );
}
