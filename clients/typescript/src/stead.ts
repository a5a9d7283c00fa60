import createClient, { defaultPathSerializer } from 'openapi-fetch';
import type { CallOptions, ClientOptions, Proof, SteadOptions } from './options.js';
import { prover } from './proof.js';
import type { AnswerOf, BodyOf, Call, QueryOf } from './routes.js';
import type { paths } from './schema.js';
import { chatStream, type ChatStream } from './stream.js';
import { type SendOptions, Transport } from './transport.js';

/** How long is waited for a model's whole answer, unless told otherwise. */
const WHOLE_TIMEOUT_MS = 120_000;

/** A message to an agent: `sessionId` and `message`, or what `useChat` sends, passed on. */
export type ChatBody = BodyOf<'post', '/api/chat'>;
/** A message to an agent of the marketplace. */
export type AgentChatBody = BodyOf<'post', '/api/agents/chat'>;
export type RunBody = Omit<BodyOf<'post', '/agents/run'>, 'stream'>;
type Batch = BodyOf<'post', '/api/events'>;
type WithOptionalId<E> = E extends unknown ? Omit<E, 'id'> & { id?: string } : never;
/** Something that happened: one of the catalogue, told apart by its `event`. Without an `id` it is given one. */
export type SteadEvent = WithOptionalId<Batch['events'][number]>;
export type EventCatalog = AnswerOf<'get', '/api/events/catalog'>;
export type Generated = AnswerOf<'post', '/api/generate/{type}'>;

export interface Sessions {
  /** Opens a session. Nobody in particular is given the token that holds it. */
  open(body: BodyOf<'post', '/api/session'>, options?: CallOptions): Promise<AnswerOf<'post', '/api/session'>>;
  list(query?: QueryOf<'get', '/api/sessions'>, options?: CallOptions): Promise<AnswerOf<'get', '/api/sessions'>>;
  get(sessionId: string, options?: CallOptions): Promise<AnswerOf<'get', '/api/session/{session_id}'>>;
  /** Sets contact details and merges answers into the context. */
  update(
    sessionId: string,
    body: BodyOf<'patch', '/api/session/{session_id}'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'patch', '/api/session/{session_id}'>>;
  /** Gives an anonymous session to who signed in: needs `token` and `sessionToken`. */
  link(
    sessionId: string,
    body: BodyOf<'post', '/api/session/{session_id}/link'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/api/session/{session_id}/link'>>;
  complete(
    sessionId: string,
    body?: BodyOf<'post', '/api/session/{session_id}/complete'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/api/session/{session_id}/complete'>>;
  /** The messages in order, as `useChat` takes them. */
  messages(
    sessionId: string,
    query?: QueryOf<'get', '/api/session/{session_id}/messages'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'get', '/api/session/{session_id}/messages'>>;
}

export interface Agents {
  /** Agents for hire; with `q` those that words and meaning find, best first. */
  list(query?: QueryOf<'get', '/api/agents'>, options?: CallOptions): Promise<AnswerOf<'get', '/api/agents'>>;
  get(slug: string, options?: CallOptions): Promise<AnswerOf<'get', '/api/agents/{slug}'>>;
  /** Scores agents for a goal, and keeps the scores with a session. */
  compare(
    body: BodyOf<'post', '/api/agents/compare'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/api/agents/compare'>>;
  /** What a comparison found. */
  candidates(
    sessionId: string,
    options?: CallOptions,
  ): Promise<AnswerOf<'get', '/api/agents/compare/{session_id}'>>;
  /** Talks to an agent, and opens a session where none is named: the stream says which. */
  chat(body: AgentChatBody, options?: CallOptions): Promise<ChatStream>;
  /** Runs an agent on a prompt and waits for the whole answer. */
  run(body: RunBody, options?: CallOptions): Promise<AnswerOf<'post', '/agents/run'>>;
}

export interface Chat {
  /** Sends a message; the answer comes as a stream. */
  stream(body: ChatBody, options?: CallOptions): Promise<ChatStream>;
  /** The answer that is being given, from its beginning; null: none is. */
  resume(sessionId: string, options?: CallOptions): Promise<ChatStream | null>;
  /** Really stops the answer. Leaving a stream does not. */
  stop(sessionId: string, options?: CallOptions): Promise<AnswerOf<'post', '/api/chat/{session_id}/stop'>>;
}

export interface Waitlist {
  join(
    body: BodyOf<'post', '/api/hire/waitlist'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/api/hire/waitlist'>>;
}

export interface Memories {
  search(
    body: BodyOf<'post', '/agents/memories/search'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/agents/memories/search'>>;
  list(
    query?: QueryOf<'get', '/agents/memories'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'get', '/agents/memories'>>;
  /** Stores what an agent decided to keep. */
  store(
    body: BodyOf<'post', '/agents/memories'>,
    options?: CallOptions,
  ): Promise<AnswerOf<'post', '/agents/memories'>>;
}

export interface Events {
  /** What there is to send, with its properties. */
  catalog(options?: CallOptions): Promise<EventCatalog>;
  /** Sends up to a hundred. One that is there already changes nothing. */
  send(events: SteadEvent | readonly SteadEvent[], options?: CallOptions): Promise<AnswerOf<'post', '/api/events'>>;
}

/** A server, called as somebody. All methods throw `SteadProblem`, `SteadUnreachable`, or a signal's reason. */
export interface Stead {
  /** Any route by its template, typed as the OpenAPI document has it. */
  readonly GET: Call<'get'>;
  readonly POST: Call<'post'>;
  readonly PUT: Call<'put'>;
  readonly PATCH: Call<'patch'>;
  readonly DELETE: Call<'delete'>;
  /** Any path, also of a server that is newer than this client: with proof, retries and refusals as everywhere. */
  send(path: string, init?: RequestInit, options?: CallOptions): Promise<Response>;
  /** The same server, called as somebody else: one client for a program, one `as` for a request. */
  as(proof: Proof): Stead;
  readonly sessions: Sessions;
  readonly agents: Agents;
  readonly chat: Chat;
  readonly waitlist: Waitlist;
  readonly memories: Memories;
  /** What an agent says of a session's context, such as its `diagnosis`. */
  generate(type: string, body: { sessionId: string }, options?: CallOptions): Promise<Generated>;
  /** What was generated last, for another device or another visit; null: nothing was. */
  generated(type: string, sessionId: string, options?: CallOptions): Promise<Generated | null>;
  readonly events: Events;
}

/** A client of a Stead server.
 *
 * @throws TypeError: the address cannot be read, or not exactly one proof can be used.
 */
export function createStead(options: SteadOptions): Stead {
  const base = options.baseUrl.replace(/\/+$/, '');
  const transport = new Transport({ ...options, baseUrl: base }, prover(options));
  const client = createClient<paths>({
    baseUrl: base,
    fetch: (request) => transport.send(request),
    pathSerializer: (path, values) => {
      Object.values(values).forEach(checkSegment);
      return defaultPathSerializer(path, values);
    },
  });
  // The transport throws whatever is no answer, so that `data` is always there.
  const GET = client.GET as unknown as Call<'get'>;
  const POST = client.POST as unknown as Call<'post'>;
  const PATCH = client.PATCH as unknown as Call<'patch'>;

  const by = (options: SendOptions = {}) => ({ fetch: (request: Request) => transport.send(request, options) });
  const send = async (path: string, init?: RequestInit, options?: SendOptions) => {
    // Else it could go on with the name of the host.
    if (!path.startsWith('/')) throw new TypeError('path: begins with a slash');
    return transport.send(new Request(base + path, init), options);
  };
  const json = async <T>(method: string, path: string, body: unknown, options?: SendOptions): Promise<T> => {
    const headers = { 'content-type': 'application/json' };
    const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
    return (await (await send(path, init, options)).json()) as T;
  };
  const session = (session_id: string) => ({ path: { session_id } });

  return {
    GET,
    POST,
    PATCH,
    PUT: client.PUT as unknown as Call<'put'>,
    DELETE: client.DELETE as unknown as Call<'delete'>,
    send,
    as: (proof) => createStead({ ...connection(options), ...proof }),
    sessions: {
      open: async (body, options) => (await POST('/api/session', { body, ...by(options) })).data,
      list: async (query = {}, options) =>
        (await GET('/api/sessions', { params: { query }, ...by(options) })).data,
      get: async (id, options) =>
        (await GET('/api/session/{session_id}', { params: session(id), ...by(options) })).data,
      update: async (id, body, options) =>
        (await PATCH('/api/session/{session_id}', { params: session(id), body, ...by(options) })).data,
      link: async (id, body, options) =>
        (await POST('/api/session/{session_id}/link', { params: session(id), body, ...by(options) })).data,
      complete: async (id, body = {}, options) =>
        (await POST('/api/session/{session_id}/complete', { params: session(id), body, ...by(options) })).data,
      messages: async (id, query = {}, options) =>
        (await GET('/api/session/{session_id}/messages', { params: { ...session(id), query }, ...by(options) }))
          .data,
    },
    agents: {
      list: async (query = {}, options) => (await GET('/api/agents', { params: { query }, ...by(options) })).data,
      get: async (slug, options) =>
        (await GET('/api/agents/{slug}', { params: { path: { slug } }, ...by(options) })).data,
      compare: async (body, options) => (await POST('/api/agents/compare', { body, ...by(options) })).data,
      candidates: async (id, options) =>
        (await GET('/api/agents/compare/{session_id}', { params: session(id), ...by(options) })).data,
      chat: async (given, options) => {
        const body = { ...given, message_id: given.message_id ?? crypto.randomUUID() };
        // Without a session each try would open one.
        const repeatable = typeof body.session_id === 'string';
        const sent = { body, parseAs: 'stream', ...by({ ...options, repeatable }) } as const;
        const { response } = await POST('/api/agents/chat', sent);
        return chatStream(response, response.headers.get('x-stead-session') ?? body.session_id ?? '', options?.signal);
      },
      run: (given, options) => {
        const body = { ...given, message_id: given.message_id ?? crypto.randomUUID(), stream: false };
        return json('POST', '/agents/run', body, { timeoutMs: WHOLE_TIMEOUT_MS, ...options, repeatable: true });
      },
    },
    chat: {
      stream: async (given, options) => {
        const body = named(given);
        const sent = { body, parseAs: 'stream', ...by({ ...options, repeatable: isRepeatable(body) }) } as const;
        const { response } = await POST('/api/chat', sent);
        return chatStream(response, body.sessionId ?? body.id ?? '', options?.signal);
      },
      resume: async (id, options) => {
        const sent = { params: session(id), parseAs: 'stream', ...by(options) } as const;
        const { response } = await GET('/api/chat/{session_id}/stream', sent);
        return response.status === 204 ? null : chatStream(response, id, options?.signal);
      },
      // Stopped twice it is stopped once.
      stop: async (id, options) =>
        (await POST('/api/chat/{session_id}/stop', { params: session(id), ...by({ ...options, repeatable: true }) }))
          .data,
    },
    waitlist: {
      join: async (body, options) => (await POST('/api/hire/waitlist', { body, ...by(options) })).data,
    },
    memories: {
      // It only reads.
      search: async (body, options) =>
        (await POST('/agents/memories/search', { body, ...by({ ...options, repeatable: true }) })).data,
      list: async (query = {}, options) =>
        (await GET('/agents/memories', { params: { query }, ...by(options) })).data,
      store: async (body, options) => (await POST('/agents/memories', { body, ...by(options) })).data,
    },
    generate: async (type, body, options) => {
      checkSegment(type);
      const path = `/api/generate/${encodeURIComponent(type)}`;
      return json('POST', path, body, { timeoutMs: WHOLE_TIMEOUT_MS, ...options });
    },
    generated: async (type, sessionId, options) => {
      checkSegment(type);
      const path = `/api/generate/${encodeURIComponent(type)}?${new URLSearchParams({ sessionId })}`;
      const response = await send(path, undefined, options);
      return response.status === 204 ? null : ((await response.json()) as Generated);
    },
    events: {
      catalog: (options) => json('GET', '/api/events/catalog', undefined, options),
      send: (events, options) => {
        const each = [events].flat() as SteadEvent[];
        // By their ids they are taken once, whichever try arrives. By what the clock says now, the server mends theirs.
        const named = each.map((event) => ({ id: crypto.randomUUID(), ...event }));
        const batch = { events: named, sentAt: new Date().toISOString() };
        return json('POST', '/api/events', batch, { ...options, repeatable: true });
      },
    },
  };
}

/** Refuses what would make another route of a path: an id may come from who asks. */
function checkSegment(value: unknown): void {
  if (value === '' || value === '.' || value === '..' || value === undefined || value === null) {
    throw new TypeError(`${JSON.stringify(value)} is no part of a path`);
  }
}

/** Options without who calls. */
function connection(options: SteadOptions): ClientOptions {
  const { apiKey: _1, token: _2, sessionToken: _3, serviceSecret: _4, tenant: _5, ...rest } = options;
  return rest;
}

/** The body with an id for a message that has none, so that it may be sent twice. */
function named(body: ChatBody): ChatBody {
  const plain = typeof body.message === 'string' && body.trigger !== 'regenerate-message';
  return plain && !body.messageId ? { ...body, messageId: crypto.randomUUID() } : body;
}

/** Whether the server knows this message again: it then gives the stream of the same answer. */
function isRepeatable(body: ChatBody): boolean {
  if (body.trigger === 'regenerate-message') return false;
  if (typeof body.message === 'string') return true;
  const last = body.message ?? body.messages?.at(-1);
  return last?.role === 'user' && Boolean(last.id);
}
