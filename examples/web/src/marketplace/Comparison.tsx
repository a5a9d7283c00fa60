import { useState } from 'react';

import { Heading } from '../Heading.tsx';
import type { Agent, Candidate } from '../stead.ts';
import { numberIn } from './Agents.tsx';

interface ComparingProps {
  picked: string[];
  busy: boolean;
  onCompare: (wish: { goal: string; max_price?: number }) => void;
}

export function Comparing({ picked, busy, onCompare }: ComparingProps) {
  const [goal, setGoal] = useState('');
  const [price, setPrice] = useState('');
  return (
    <form
      className="fields"
      aria-label="Compare"
      onSubmit={(event) => {
        event.preventDefault();
        onCompare({ goal, max_price: numberIn(price) });
      }}
    >
      <label>
        What are you looking for?
        <input required maxLength={4000} value={goal} onChange={(event) => setGoal(event.target.value)} />
      </label>
      <label>
        Your budget, in dollars
        <input type="number" min={0} value={price} onChange={(event) => setPrice(event.target.value)} />
      </label>
      <button disabled={busy}>{picked.length > 0 ? `Compare these ${picked.length}` : 'Compare the nearest'}</button>
    </form>
  );
}

interface ComparisonProps {
  candidates: Candidate[];
  /** They have just been compared. */
  focus: boolean;
  onChat: (agent: Agent) => void;
  onWait: (agent: Agent) => void;
}

export function Comparison({ candidates, focus, onChat, onWait }: ComparisonProps) {
  return (
    <section aria-label="Comparison">
      <Heading focus={focus}>How well they fit</Heading>
      <ol className="cards">
        {candidates.map(({ agent, fit_score, rationale, factors }) => (
          <li key={agent.slug}>
            <h3>{agent.name}</h3>
            <p>
              <meter min={0} max={100} value={fit_score} aria-hidden /> {Math.round(fit_score)} of 100
            </p>
            <ul>
              {rationale.map((reason) => (
                <li key={reason}>{reason}</li>
              ))}
            </ul>
            <details>
              <summary>What the score is made of</summary>
              <ul>
                {factors.map((factor) => (
                  <li key={factor.name}>
                    {factor.name.replaceAll('_', ' ')}: {factor.points.toFixed(1)} points
                  </li>
                ))}
              </ul>
            </details>
            <p className="choices">
              <button type="button" onClick={() => onChat(agent)}>
                Chat with {agent.name}
              </button>
              <button type="button" onClick={() => onWait(agent)}>
                Ask for {agent.name}
              </button>
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
