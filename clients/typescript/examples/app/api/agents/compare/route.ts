// app/api/agents/compare/route.ts
import type { BodyOf } from '@stead/client';
import { bodyOf, problem, refusal, steadOf } from '@/lib/stead';

type Wish = BodyOf<'post', '/api/agents/compare'>;

export async function POST(request: Request): Promise<Response> {
  const stead = await steadOf(request);
  if (!stead) return problem(401, 'not_signed_in', 'Nobody is signed in');
  const wish = await bodyOf<Wish>(request);
  if (!wish) return problem(400, 'body_invalid', 'The body is no JSON object');
  try {
    const { session_id, candidates } = await stead.agents.compare(wish, { signal: request.signal });
    const best = candidates.map(({ agent, fit_score, rationale }) => ({
      slug: agent.slug,
      name: agent.name,
      score: fit_score,
      why: rationale,
    }));
    return Response.json({ sessionId: session_id, candidates: best }, { status: 201 });
  } catch (error) {
    return refusal(error);
  }
}
