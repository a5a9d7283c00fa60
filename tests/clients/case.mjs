// What a test hands to a scenario, and what scenarios share.

export class Case {
  /** @param given url, token, session, agent, and what else the scenario needs. */
  constructor(given) {
    Object.assign(this, given);
    this.headers = { authorization: `Bearer ${given.token}` };
  }

  /** The session's messages as the server has them. */
  async stored() {
    return (await this.#call(`${this.url}/api/session/${this.session}/messages`)).items;
  }

  /** Asks the server to end the answer, which is more than a client's own stop does. */
  async stopAnswer() {
    const url = this.other ?? this.url;
    return await this.#call(`${url}/api/chat/${this.session}/stop`, { method: "POST" });
  }

  /** 003's body: one message, by session and agent. */
  documentBody = ({ messages }) => {
    const message = wordsOf(messages.at(-1));
    return { body: { sessionId: this.session, agentId: this.agent, message } };
  };

  async #call(url, options = {}) {
    const answer = await fetch(url, { ...options, headers: this.headers });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return await answer.json();
  }
}

export function wordsOf(message) {
  return (message?.parts ?? [])
    .filter((part) => part.type === "text")
    .map((part) => part.text)
    .join("");
}
