import { useState } from 'react';

import { useAction } from '../actions.ts';
import { Heading } from '../Heading.tsx';
import { Problem } from '../Problem.tsx';
import { useStead } from '../stead.ts';

interface WaitlistProps {
  orgId: string;
  agent: { slug: string; name: string };
  /** The comparison's or the chat's; null: one is opened. */
  sessionId: string | null;
}

export function Waitlist({ orgId, agent, sessionId }: WaitlistProps) {
  const stead = useStead(orgId);
  const [email, setEmail] = useState('');
  const [message, setMessage] = useState('');
  const [joined, setJoined] = useState(false);
  const joining = useAction(async () => {
    await stead.waitlist.join({
      agent_session_id: sessionId ?? (await stead.sessions.open({ orgId })).sessionId,
      agent: agent.slug,
      email_override: email || null,
      message: message || null,
    });
    setJoined(true);
  });
  return (
    <section aria-label={`Ask for ${agent.name}`}>
      <Heading focus>Ask for {agent.name}</Heading>
      {joined ? (
        <p role="status">You are on the waitlist for {agent.name}.</p>
      ) : (
        <form
          className="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void joining.run();
          }}
        >
          <label>
            Another address to write to (optional)
            <input type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
          </label>
          <label>
            Anything to add? (optional)
            <textarea maxLength={10000} value={message} onChange={(event) => setMessage(event.target.value)} />
          </label>
          <button disabled={joining.busy}>Join the waitlist</button>
        </form>
      )}
      <Problem of={joining.error} />
    </section>
  );
}
