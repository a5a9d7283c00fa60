// lib/stead.ts
import { createStead, type Stead, SteadProblem, SteadUnreachable } from '@stead/client';

const server = createStead({ baseUrl: process.env['STEAD_URL'] ?? 'http://127.0.0.1:8787' });

/** The server, called as who is signed in; null: nobody is. */
export async function steadOf(request: Request): Promise<Stead | null> {
  const token = await tokenOf(request);
  return token === null ? null : server.as({ token });
}

/** Where your sign-in keeps the bearer token. With Clerk: `(await auth()).getToken()`; with Supabase: the session's. */
async function tokenOf(request: Request): Promise<string | null> {
  const cookies = request.headers.get('cookie') ?? '';
  return /(?:^|; )access_token=([^;]+)/.exec(cookies)?.[1] ?? null;
}

/** A body that is a JSON object; null: it is none, or another site's form. What has to be in it, the server says. */
export async function bodyOf<T extends object>(request: Request): Promise<T | null> {
  if (!request.headers.get('content-type')?.startsWith('application/json')) return null;
  const body: unknown = await request.json().catch(() => null);
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as T) : null;
}

/** What a handler answers when the server refused, or was not there. */
export function refusal(error: unknown): Response {
  if (error instanceof SteadProblem) return error.toResponse();
  if (error instanceof SteadUnreachable) return problem(503, 'unavailable', 'The assistant cannot be reached');
  throw error;
}

export function problem(status: number, code: string, title: string): Response {
  return Response.json({ status, code, title }, { status, headers: { 'content-type': 'application/problem+json' } });
}
