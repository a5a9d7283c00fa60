export { createStead } from './stead.js';
export type {
  AgentChatBody,
  Agents,
  Chat,
  ChatBody,
  EventCatalog,
  Events,
  Generated,
  Memories,
  RunBody,
  Sessions,
  Stead,
  SteadEvent,
  Waitlist,
} from './stead.js';
export type { CallOptions, ClientOptions, Proof, Provided, Retries, SteadOptions } from './options.js';
export { SteadProblem, SteadStreamBroken, SteadUnreachable } from './problems.js';
export type { FieldError } from './problems.js';
export type { AnswerMetadata, UIMessageChunk } from './chunks.js';
export type { ChatStream } from './stream.js';
export type { AnswerOf, BodyOf, QueryOf, Schemas } from './routes.js';
export type { components, operations, paths } from './schema.js';
