// A conversation with one agent: `useChat` as it is published, on Stead's stream.

import { useChat } from '@ai-sdk/react';
import { DefaultChatTransport, type UIMessage } from 'ai';
import { useEffect, useMemo, useRef, useState } from 'react';

import { useAction, useLoaded } from './actions.ts';
import { useConfig } from './config.tsx';
import { Heading } from './Heading.tsx';
import { useIdentity } from './identity.tsx';
import { Problem } from './Problem.tsx';
import { messagesOf, useStead } from './stead.ts';

interface ChatProps {
  orgId: string;
  sessionId: string;
  agent: string;
  /** Who answers, as people know them. */
  name: string;
  /** Somebody has just asked for it. */
  focus?: boolean;
  onSent?: (text: string) => void;
}

/** Loads what was said before; `Talk` needs it from its first rendering on. */
export function Chat(props: ChatProps) {
  const stead = useStead(props.orgId);
  const { data, error } = useLoaded(
    (signal) => messagesOf(stead, props.sessionId, signal),
    [stead, props.sessionId],
  );
  return (
    <section className="chat" aria-label={`Chat with ${props.name}`}>
      <Heading focus={props.focus}>Chat with {props.name}</Heading>
      <Problem of={error} />
      {data !== null && <Talk key={props.sessionId} earlier={data} {...props} />}
    </section>
  );
}

function Talk({ orgId, sessionId, agent, name, onSent, earlier }: ChatProps & { earlier: UIMessage[] }) {
  const stead = useStead(orgId);
  const transport = useTransport(orgId, agent);
  const { messages, sendMessage, status, error } = useChat({
    id: sessionId,
    messages: earlier,
    // After a reload: the answer that is still being given comes again, from its beginning.
    resume: true,
    transport,
  });
  const [text, setText] = useState('');
  const busy = status === 'submitted' || status === 'streaming';
  // The hook's own `stop` only hangs up, and a run survives its client. Once it is stopped, its stream ends.
  const stopping = useAction(() => stead.chat.stop(sessionId));
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [messages]);

  return (
    <>
      <div
        ref={log}
        className="log"
        role="log"
        aria-label="Conversation"
        aria-busy={busy}
        data-status={status}
        tabIndex={0}
      >
        {messages.length === 0 && <p className="quiet">Nothing has been said yet.</p>}
        {messages.map((message) => (
          <article key={message.id} className={message.role}>
            <h3>{message.role === 'user' ? 'You' : name}</h3>
            <p>{wordsOf(message)}</p>
          </article>
        ))}
      </div>
      <Problem of={error ?? stopping.error} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (busy || text.trim() === '') return;
          onSent?.(text);
          void sendMessage({ text });
          setText('');
        }}
      >
        <label>
          Message to {name}
          <input value={text} maxLength={32000} onChange={(event) => setText(event.target.value)} />
        </label>
        {busy ? (
          <button type="button" disabled={stopping.busy} onClick={() => void stopping.run()}>
            Stop
          </button>
        ) : (
          <button>Send</button>
        )}
      </form>
    </>
  );
}

function useTransport(orgId: string, agent: string) {
  const { apiUrl } = useConfig();
  const { person } = useIdentity();
  return useMemo(
    () =>
      new DefaultChatTransport<UIMessage>({
        api: `${apiUrl}/api/chat`,
        // Asked for before each request: a token may be older than a minute by then.
        headers: async (): Promise<Record<string, string>> =>
          person === null ? {} : { authorization: `Bearer ${await person.getToken(orgId)}` },
        credentials: 'include', // the cookie of a visitor's session
        // Stead has the conversation, so the last message is enough. It is known by its id: sent again, it is
        // answered once.
        prepareSendMessagesRequest: ({ id, messages }) => ({
          body: { id, agentId: agent, message: messages.at(-1) },
        }),
      }),
    [apiUrl, person, orgId, agent],
  );
}

function wordsOf(message: UIMessage): string {
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}
