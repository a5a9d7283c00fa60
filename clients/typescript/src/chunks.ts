/** What an answer says of itself in its `start` and, when it is known, its `finish`. */
export interface AnswerMetadata {
  runId: string;
  sessionId?: string;
  agent?: string;
  model?: string;
  /** How many memories the model was given. */
  memories?: number;
  offline?: boolean;
  status?: 'completed' | 'failed' | 'cancelled';
  finishReason?: 'stop' | 'length' | 'error' | 'tool-approval';
  latencyMs?: number;
  usage?: { inputTokens: number; outputTokens: number };
}

/** A frame of the AI SDK's UI message stream, in the part of it that Stead sends (docs/reference/stream.md). */
export type UIMessageChunk =
  | { type: 'start'; messageId: string; messageMetadata?: AnswerMetadata }
  | { type: 'start-step' }
  | { type: 'finish-step' }
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'reasoning-start'; id: string }
  | { type: 'reasoning-delta'; id: string; delta: string }
  | { type: 'reasoning-end'; id: string }
  | { type: 'tool-input-start'; toolCallId: string; toolName: string }
  | { type: 'tool-input-delta'; toolCallId: string; inputTextDelta: string }
  | { type: 'tool-input-available'; toolCallId: string; toolName: string; input: unknown }
  | { type: 'tool-output-available'; toolCallId: string; output: unknown }
  | { type: 'tool-output-error'; toolCallId: string; errorText: string }
  | { type: 'tool-approval-request'; approvalId: string; toolCallId: string }
  | { type: 'tool-output-denied'; toolCallId: string }
  | { type: 'finish'; messageMetadata?: AnswerMetadata }
  | { type: 'abort' }
  | { type: 'error'; errorText: string };
