// useChat of one version of `@ai-sdk/react`, in React, in a document.

import { JSDOM } from "jsdom";

import { wordsOf } from "./case.mjs";

// React looks for these when it is loaded. fetch and streams stay Node's own: the sockets are real.
const { window } = new JSDOM("<!doctype html><html><body></body></html>");
Object.assign(globalThis, {
  window,
  document: window.document,
  HTMLElement: window.HTMLElement,
  Node: window.Node,
  MutationObserver: window.MutationObserver,
});
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });

const { createElement } = await import("react");
const { cleanup, render, screen, waitFor } = await import("@testing-library/react");

const PATIENCE = { timeout: 20_000, interval: 10 };

export async function load(version) {
  const { Chat, useChat } = await import(version);
  // The transport of the `ai` that this hook was made for, as an application would import it.
  const { DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } = await import(
    version === "react5" ? "ai5" : "ai6"
  );
  return (given) => {
    cleanup();
    return scenarios(given, {
      Chat,
      useChat,
      DefaultChatTransport,
      lastAssistantMessageIsCompleteWithApprovalResponses,
    });
  };
}

const speaking = (chat) =>
  chat.messages.at(-1)?.role === "assistant" && wordsOf(chat.messages.at(-1)).length > 20;
const over = (chat) => chat.status === "ready" || chat.status === "error";

/** A fetch whose first answer ends as a browser's does when the network goes. */
function breakingFetch() {
  let broken = false;
  return async (...request) => {
    const answer = await fetch(...request);
    if (broken) return answer;
    broken = true;
    let pieces = 0;
    const breaking = new TransformStream({
      transform(piece, controller) {
        pieces += 1;
        if (pieces > 8) throw new TypeError("network error");
        controller.enqueue(piece);
      },
    });
    return new Response(answer.body.pipeThrough(breaking), answer);
  };
}

function scenarios(given, parts) {
  const { Chat, useChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } =
    parts;
  function transport(options = {}) {
    return new DefaultChatTransport({
      api: `${given.url}/api/chat`,
      headers: given.headers,
      body: { agentId: given.agent },
      ...options,
    });
  }

  /** Puts a chat on the page; `chat()` is what the hook returned at its last rendering. */
  function open({ messages = [], resume = false, own = false, sendAutomaticallyWhen, ...options } = {}) {
    let latest;
    const statuses = [];
    const errors = [];
    const finishes = [];
    const settings = {
      id: given.session,
      messages,
      transport: transport(options),
      ...(sendAutomaticallyWhen ? { sendAutomaticallyWhen } : {}),
      onError: (error) => errors.push(error.message),
      onFinish: ({ isAbort, isError }) => finishes.push({ isAbort, isError }),
    };
    const hookOptions = own ? { chat: new Chat(settings), resume } : { ...settings, resume };
    function Conversation() {
      latest = useChat(hookOptions);
      if (statuses.at(-1) !== latest.status) statuses.push(latest.status);
      return createElement(
        "ol",
        null,
        latest.messages.map((message) =>
          createElement("li", { key: message.id, "data-role": message.role }, wordsOf(message)),
        ),
      );
    }
    const page = render(createElement(Conversation));
    return {
      chat: () => latest,
      close: () => page.unmount(),
      /** Does something and waits until the page shows how it ended. */
      async done(doing) {
        await doing(latest);
        await this.until(over);
      },
      async until(holds) {
        await waitFor(() => {
          if (!holds(latest)) throw new Error(`still ${latest.status}`);
        }, PATIENCE);
      },
      result: () => ({
        messages: latest.messages,
        shown: screen.queryAllByRole("listitem").map((item) => item.textContent),
        status: latest.status,
        statuses,
        error: latest.error?.message ?? null,
        errors,
        finishes,
      }),
    };
  }

  const say = (page, text, options = {}) =>
    page.done((chat) => chat.sendMessage({ text, ...options }));

  /** A page in the middle of an answer; `left` is called to give up the connection. */
  async function openSpeaking() {
    const page = open();
    const ended = page.chat().sendMessage({ text: given.text });
    await page.until(speaking);
    const left = () =>
      page.done(async (chat) => {
        await chat.stop();
        await ended;
      });
    return { page, ended, left };
  }

  return {
    async documentBody() {
      const page = open({ prepareSendMessagesRequest: given.documentBody });
      await say(page, given.text);
      return page.result();
    },
    async defaultBody() {
      const page = open();
      await say(page, given.text);
      await say(page, given.then);
      return page.result();
    },
    async regenerate() {
      const page = open();
      await say(page, given.text);
      await say(page, given.then);
      const before = page.result().messages;
      await page.done((chat) => chat.regenerate());
      return { before, ...page.result() };
    },
    async regenerateFromQuestion() {
      const page = open();
      await say(page, given.text);
      await say(page, given.then);
      const asked = page.chat().messages[2];
      await page.done((chat) => chat.regenerate({ messageId: asked.id }));
      return { asked, ...page.result() };
    },
    async edit() {
      const page = open();
      await say(page, given.text);
      await say(page, "And this is left behind.");
      await say(page, given.then, { messageId: page.chat().messages[0].id });
      return page.result();
    },
    async stop() {
      const { page, ended } = await openSpeaking();
      const stopped = await given.stopAnswer();
      await page.done(() => ended);
      return { stopped, ...page.result() };
    },
    async leave() {
      const { page, left } = await openSpeaking();
      await left();
      return page.result();
    },
    async resumeHere() {
      // The connection is given up and taken up again on the same page.
      const { page, left } = await openSpeaking();
      await left();
      await page.done((chat) => chat.resumeStream());
      return page.result();
    },
    async resumeAfterDisconnect() {
      // Version 6: a Chat of one's own knows that the server replays; the hook's own options do not.
      const page = open({ fetch: breakingFetch(), own: true });
      await say(page, given.text);
      const lost = page.result();
      await page.done((chat) => chat.resumeStream());
      return { lost, ...page.result() };
    },
    async remountAfterDisconnect() {
      // What works in every version: a new chat with the stored messages.
      const before = open({ fetch: breakingFetch() });
      await say(before, given.text);
      const lost = before.result();
      before.close();
      const page = open({ messages: await given.stored(), resume: true });
      await page.until((chat) => speaking(chat) && over(chat));
      return { lost, ...page.result() };
    },
    async resumeAfterReload() {
      // The page is loaded anew while the answer is being given.
      const before = await openSpeaking();
      await before.left();
      before.page.close();
      const page = open({ messages: await given.stored(), resume: true });
      await page.until((chat) => speaking(chat) && over(chat));
      return page.result();
    },
    async resumeInterrupted() {
      const page = open({ messages: await given.stored(), resume: true });
      await page.until((chat) => chat.status === "error");
      return page.result();
    },
    async resumeNothing() {
      const page = open({ messages: await given.stored(), resume: true });
      await page.done((chat) => chat.resumeStream());
      return page.result();
    },
    async approve() {
      // From version 6 on: the page asks, the person decides, the hook sends it by itself.
      const page = open({ sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
      await say(page, given.text);
      const asked = structuredClone(page.chat().messages);
      const [part] = asked.at(-1).parts.filter((part) => part.state === "approval-requested");
      await page.chat().addToolApprovalResponse({ id: part.approval.id, approved: given.approved });
      await page.until((chat) => over(chat) && wordsOf(chat.messages.at(-1)) !== "");
      return { asked, ...page.result() };
    },
    async initial() {
      const page = open({ messages: await given.stored() });
      await say(page, given.text);
      return page.result();
    },
  };
}
