// app/api/chat/route.ts
import type { ChatBody } from '@stead/client';
import { bodyOf, problem, refusal, steadOf } from '@/lib/stead';

export async function POST(request: Request): Promise<Response> {
  const stead = await steadOf(request);
  if (!stead) return problem(401, 'not_signed_in', 'Nobody is signed in');
  const body = await bodyOf<ChatBody>(request);
  if (!body) return problem(400, 'body_invalid', 'The body is no JSON object');
  try {
    // What `useChat` sends goes on as it is, and so does the stream. When the page leaves, so does this request;
    // the answer is finished and stored all the same.
    const answer = await stead.chat.stream(body, { signal: request.signal });
    return answer.toResponse();
  } catch (error) {
    return refusal(error);
  }
}
