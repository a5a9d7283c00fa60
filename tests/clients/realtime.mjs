// Supabase Realtime by @supabase/supabase-js.

import WebSocket from "ws";

export async function load(version) {
  // It says on loading that it wants a newer Node than some machines have: no complaint about a server.
  const warn = console.warn;
  console.warn = (...words) => String(words[0]).includes("Node.js") || warn(...words);
  const { createClient } = await import(version);
  console.warn = warn;
  return (given) => scenarios(given, createClient);
}

const PATIENCE_MS = 20_000;

/** Waits until `condition` holds. */
async function until(condition, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One person's client, closed at the end of the scenario. */
class Person {
  constructor(createClient, url, token, options = {}) {
    this.url = url;
    this.token = token;
    this.client = createClient(url, token, {
      auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
      realtime: { transport: WebSocket, ...options },
    });
  }

  /** Joins a channel; what it says of itself and what is told go into lists. */
  async join(name, { changes = [], config = {}, wait = "SUBSCRIBED" } = {}) {
    const seen = { statuses: [], errors: [], changes: [], system: [], said: [], presence: [] };
    const channel = this.client.channel(name, { config });
    for (const filter of changes) {
      channel.on("postgres_changes", { schema: "public", ...filter }, (change) => seen.changes.push(change));
    }
    channel.on("system", {}, (note) => seen.system.push(note));
    channel.on("broadcast", { event: "*" }, (message) => seen.said.push(message));
    if (config.presence) {
      channel.on("presence", { event: "*" }, (event) => seen.presence.push(event));
    }
    channel.subscribe((status, error) => {
      seen.statuses.push(status);
      if (error) seen.errors.push(error.message);
    });
    await until(() => seen.statuses.includes(wait), `${wait} of ${name}, not ${seen.statuses} ${seen.errors}`);
    return { channel, seen };
  }

  async call(method, path, body) {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
    });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return await answer.json();
  }

  /** Opens a session; its id. */
  async open(org) {
    return (await this.call("POST", "/api/session", { orgId: org })).sessionId;
  }

  async rename(session, name) {
    await this.call("PATCH", `/api/session/${session}`, { name });
  }

  async close() {
    await this.client.removeAllChannels();
  }
}

const brief = ({ eventType, new: now, old, table, schema, errors }) => ({
  eventType, id: now.id ?? old.id, name: now.name ?? null, old, table, schema, errors,
});

function scenarios(given, createClient) {
  const made = [];
  const person = (url, token, options) => {
    const one = new Person(createClient, url, token, options);
    made.push(one);
    return one;
  };
  const ending = (play) => async () => {
    try {
      return await play();
    } finally {
      await Promise.all(made.map((one) => one.close()));
    }
  };
  const table = "sessions";

  const all = {
    async tenants() {
      const ann = person(given.url, given.token);
      const cat = person(given.url, given.stranger);
      const mine = await ann.join("mine", { changes: [{ event: "*", table }] });
      const hers = await cat.join("mine", { changes: [{ event: "*", table }] });
      const a = await ann.open(given.org);
      const c = await cat.open(given.strangers_org);
      await ann.rename(a, "Ann");
      await cat.rename(c, "Cat");
      await until(() => mine.seen.changes.length >= 2 && hers.seen.changes.length >= 2, "changes");
      const full = mine.seen.changes[0];
      return {
        sessions: [a, c],
        mine: mine.seen.changes.map(brief),
        hers: hers.seen.changes.map(brief),
        system: mine.seen.system,
        created: typeof full.new.created_at,
        context: full.new.context,
        at: full.commit_timestamp,
      };
    },

    async filters() {
      const ann = person(given.url, given.token);
      const one = await ann.open(given.org);
      const two = await ann.open(given.org);
      const byId = await ann.join("one", { changes: [{ event: "UPDATE", table, filter: `id=eq.${one}` }] });
      const both = await ann.join("both", {
        changes: [
          { event: "UPDATE", table, filter: "name=in.(Ann,Anna)" },
          { event: "UPDATE", table, filter: "name=like.B%" },
        ],
      });
      await ann.rename(two, "Bea");
      await ann.rename(one, "Anna");
      await ann.rename(two, "Cat");
      await ann.rename(one, "Dan");
      await until(() => byId.seen.changes.length >= 2 && both.seen.changes.length >= 2, "changes");
      return {
        byId: byId.seen.changes.map((c) => c.new.name),
        both: both.seen.changes.map((c) => c.new.name),
      };
    },

    async refused() {
      const ann = person(given.url, given.token);
      const found = {};
      const wrong = {
        table: [{ event: "*", table: "nothing" }],
        hidden: [{ event: "*", table: "tenants" }],
        column: [{ event: "*", table, filter: "nothing=eq.1" }],
        filter: [{ event: "*", table, filter: "name~Ann" }],
        value: [{ event: "*", table, filter: "id=eq.seven" }],
        schema: [{ event: "*", schema: "stead", table: "api_keys" }],
      };
      for (const [name, changes] of Object.entries(wrong)) {
        const { seen } = await ann.join(name, { changes, wait: "CHANNEL_ERROR" });
        found[name] = seen.errors[0];
      }
      for (const [name, token] of [["expired", given.expired], ["forged", given.forged]]) {
        const other = person(given.url, token);
        const { seen } = await other.join(name, { wait: "CHANNEL_ERROR" });
        found[name] = seen.errors[0];
      }
      for (const name of ["outbox", "approvals", "jobs"]) {
        const { seen } = await ann.join(`${name}:${given.other_tenant}`, { wait: "CHANNEL_ERROR" });
        found[name] = seen.errors[0];
      }
      const mine = await ann.join(`jobs:${given.tenant}`, { config: { broadcast: { ack: true } } });
      found.own = [...mine.seen.statuses];
      found.speaking = await mine.channel.send({ type: "broadcast", event: "fake", payload: {} });
      return found;
    },

    async rejoin() {
      const ann = person(given.url, given.token);
      const changes = [{ event: "INSERT", table }];
      const first = await ann.join("room", { changes });
      const a = await ann.open(given.org);
      await until(() => first.seen.changes.length >= 1, "the first");
      const left = await ann.client.removeChannel(first.channel);
      await ann.open(given.org);
      const second = await ann.join("room", { changes });
      const c = await ann.open(given.org);
      await until(() => second.seen.changes.length >= 1, "the third");
      return {
        left,
        sessions: [a, c],
        first: first.seen.changes.map((change) => change.new.id),
        second: second.seen.changes.map((change) => change.new.id),
        statuses: [...first.seen.statuses],
      };
    },

    /** The first token ends while the channel is open; the second is handed over before. */
    async refresh() {
      const ann = person(given.url, given.short);
      const { seen } = await ann.join("room", { changes: [{ event: "*", table }] });
      await ann.client.realtime.setAuth(given.token);
      const stale = person(given.url, given.short);
      const dead = await stale.join("room", { changes: [{ event: "*", table }] });
      await until(() => dead.seen.statuses.includes("CLOSED"), "the end of the token");
      ann.token = given.token;
      const session = await ann.open(given.org);
      await until(() => seen.changes.length >= 1, "a change");
      return {
        session,
        changes: seen.changes.map((change) => change.new.id),
        statuses: [...seen.statuses],
        dead: [...dead.seen.statuses],
        said: dead.seen.system.map((note) => [note.status, note.message]),
        told: dead.seen.changes.length,
      };
    },

    /** A token of another tenant takes nothing over. */
    async switched() {
      const ann = person(given.url, given.token);
      const { seen } = await ann.join("room", { changes: [{ event: "*", table }] });
      await ann.client.realtime.setAuth(given.stranger);
      await until(() => seen.statuses.includes("CLOSED"), "the end");
      return { said: seen.system.map((note) => [note.status, note.message]), changes: seen.changes };
    },

    async broadcast() {
      const config = (more) => ({ broadcast: { self: false, ack: true, ...more } });
      const ann = person(given.url, given.token);
      const bob = person(given.other, given.colleague);
      const cat = person(given.url, given.stranger);
      const one = await ann.join("room", { config: config() });
      const echoed = await ann.join("echo", { config: config({ self: true }) });
      const two = await bob.join("room", { config: config() });
      const alien = await cat.join("room", { config: config() });
      const here = person(given.url, given.colleague);
      const three = await here.join("room", { config: config() });
      const sent = await one.channel.send({ type: "broadcast", event: "hello", payload: { text: "ä😀" } });
      await echoed.channel.send({ type: "broadcast", event: "hello", payload: { n: 1 } });
      const bytes = new Uint8Array([0, 1, 254, 255]).buffer;
      await one.channel.send({ type: "broadcast", event: "bytes", payload: bytes });
      const large = await one.channel.send({
        type: "broadcast", event: "large", payload: { text: "x".repeat(300_000) },
      });
      await until(() => two.seen.said.length >= 2 && three.seen.said.length >= 2, "messages");
      await until(() => echoed.seen.said.length >= 1, "the echo");
      return {
        sent,
        large,
        own: one.seen.said,
        echoed: echoed.seen.said,
        there: [two.seen.said[0], [...new Uint8Array(two.seen.said[1].payload)]],
        here: [three.seen.said[0], [...new Uint8Array(three.seen.said[1].payload)]],
        alien: alien.seen.said,
      };
    },

    async presence() {
      const config = (key) => ({ presence: { key } });
      const ann = person(given.url, given.token);
      const bob = person(given.other, given.colleague);
      const cat = person(given.url, given.stranger);
      const one = await ann.join("room", { config: config("ann") });
      const two = await bob.join("room", { config: config("bob") });
      const alien = await cat.join("room", { config: config("cat") });
      const keys = (joined) => Object.keys(joined.channel.presenceState()).sort();
      await one.channel.track({ mood: "well" });
      await two.channel.track({ mood: "tired" });
      await until(() => keys(one).length === 2 && keys(two).length === 2, "both");
      const states = [one, two].map((joined) => joined.channel.presenceState());
      await two.channel.track({ mood: "awake" });
      await until(() => one.channel.presenceState().bob?.[0].mood === "awake", "a change of mood");
      const after = one.channel.presenceState().bob.length;
      await one.channel.untrack();
      await until(() => keys(two).length === 1, "ann's leaving");
      await two.channel.track({ mood: "gone" });
      await bob.client.realtime.disconnect();
      await until(() => keys(one).length === 0, "bob's leaving");
      return {
        moods: states.map((state) => [state.ann[0].mood, state.bob[0].mood]),
        after,
        events: one.seen.presence.filter((e) => e.event !== "sync").map((e) => [e.event, e.key]),
        alien: keys(alien),
      };
    },

    /** Waits for what the server says of itself. */
    async listen() {
      const ann = person(given.url, given.token);
      const bob = person(given.other, given.colleague);
      const cat = person(given.url, given.stranger);
      const one = await ann.join(given.channel);
      const two = await bob.join(given.channel);
      const alien = await cat.join(given.alien_channel);
      await until(() => one.seen.said.length >= 1 && two.seen.said.length >= 1, "the server's word");
      return { one: one.seen.said, two: two.seen.said, alien: alien.seen.said };
    },

    async oldVersion() {
      const ann = person(given.url, given.token, { vsn: "1.0.0" });
      const bob = person(given.url, given.colleague);
      const one = await ann.join("room", { changes: [{ event: "*", table }] });
      const two = await bob.join("room");
      const session = await ann.open(given.org);
      await until(() => one.seen.changes.length >= 1, "a change");
      await one.channel.send({ type: "broadcast", event: "hi", payload: { n: 1 } });
      await until(() => two.seen.said.length >= 1, "a message");
      return { session, changes: one.seen.changes.map((c) => c.new.id), said: two.seen.said };
    },
  };
  return Object.fromEntries(Object.entries(all).map(([name, play]) => [name, ending(play)]));
}
