// DefaultChatTransport and readUIMessageStream of one version of `ai`.

export async function load(version) {
  const { DefaultChatTransport, readUIMessageStream } = await import(version);
  const read = (stream, look) => readAll(readUIMessageStream, stream, look);
  return (given) => scenarios(given, DefaultChatTransport, read);
}

/** Reads a stream to its end as a client would; `look` may stop it before. */
async function readAll(readUIMessageStream, stream, look = () => undefined) {
  const chunks = [];
  const states = [];
  const errors = [];
  let message = null;
  let thrown = null;
  const noting = new TransformStream({
    async transform(chunk, controller) {
      chunks.push(chunk);
      controller.enqueue(chunk);
      await look(chunks);
    },
  });
  try {
    const seen = readUIMessageStream({
      stream: stream.pipeThrough(noting),
      onError: (error) => errors.push(String(error.message ?? error)),
    });
    for await (const snapshot of seen) {
      message = snapshot;
      for (const part of snapshot.parts) {
        if (part.type.startsWith("tool-") && states.at(-1) !== part.state) states.push(part.state);
      }
    }
  } catch (error) {
    thrown = error.name;
  }
  return { types: chunks.map((chunk) => chunk.type), message, states, errors, thrown };
}

const deltas = (chunks) => chunks.filter((chunk) => chunk.type === "text-delta").length;

/** Calls `act` once, when so many pieces of text have come. */
function afterDeltas(count, act) {
  let done = false;
  return async (chunks) => {
    if (!done && deltas(chunks) >= count) {
      done = true;
      await act();
    }
  };
}

function scenarios(given, DefaultChatTransport, read) {
  function transport(options = {}) {
    return new DefaultChatTransport({
      api: `${given.url}/api/chat`,
      headers: given.headers,
      body: { agentId: given.agent },
      ...options,
    });
  }

  function question(id = "q-1") {
    return { id, role: "user", parts: [{ type: "text", text: given.text }] };
  }

  function send(by, options = {}) {
    return by.sendMessages({
      chatId: given.session,
      messages: [question()],
      trigger: "submit-message",
      ...options,
    });
  }

  /** Sends, and drops the connection in the middle of the answer. */
  async function sendAndLeave() {
    const leaving = new AbortController();
    const stream = await send(transport(), { abortSignal: leaving.signal });
    return await read(stream, afterDeltas(3, () => leaving.abort()));
  }

  return {
    async documentBody() {
      return await read(await send(transport({ prepareSendMessagesRequest: given.documentBody })));
    },
    async defaultBody() {
      return await read(await send(transport()));
    },
    async regenerate() {
      const first = await read(await send(transport()));
      const again = await send(transport(), {
        trigger: "regenerate-message",
        messageId: first.message.id,
      });
      return { first, second: await read(again) };
    },
    async stop() {
      let stopped = null;
      const stream = await send(transport());
      const answer = await read(
        stream,
        afterDeltas(3, async () => {
          stopped = await given.stopAnswer();
        }),
      );
      return { ...answer, stopped };
    },
    leave: sendAndLeave,
    async resume() {
      const before = await sendAndLeave();
      const api = `${given.other ?? given.url}/api/chat`;
      const reconnecting = transport({
        prepareReconnectToStreamRequest: ({ id }) => ({ api: `${api}/${id}/stream` }),
      });
      const stream = await reconnecting.reconnectToStream({ chatId: given.session });
      if (stream === null) return { before, after: null };
      const after = await read(stream);
      // The address that the client makes by itself, once the answer is there.
      const idle = await transport({ api }).reconnectToStream({ chatId: given.session });
      return { before, after, idle: idle === null };
    },
    async together() {
      // One process carries the run out and serves a reader; the other serves a second one meanwhile.
      let second = null;
      const follower = transport({ api: `${given.other}/api/chat` });
      const first = await read(
        await send(transport()),
        afterDeltas(2, async () => {
          second = follower.reconnectToStream({ chatId: given.session }).then((found) => read(found));
        }),
      );
      return { first, second: await second };
    },
    async nothing() {
      return { stream: await transport().reconnectToStream({ chatId: given.session }) };
    },
    async refused() {
      try {
        await send(transport({ body: { agentId: "nobody-of-that-name" } }));
        return { error: null };
      } catch (error) {
        return { error: error.message };
      }
    },
  };
}
