// Generated from the OpenAPI document by `npm run generate`. Do not edit.

/** The routes that take an Idempotency-Key: sent again with the same one, the first answer comes again. */
export const TAKES_IDEMPOTENCY_KEY: ReadonlySet<string> = new Set([
  'PATCH /api/session/{session_id}',
  'POST /agents/memories',
  'POST /api/agents/compare',
  'POST /api/hire/waitlist',
  'POST /api/session',
  'POST /api/session/{session_id}/complete',
  'POST /v1/agents',
  'POST /v1/agents/{slug}/endorsements',
  'POST /v1/agents/{slug}/versions',
  'POST /v1/evidence',
  'POST /v1/jobs',
  'POST /v1/jobs/{job_id}/respond',
  'POST /v1/objectives',
  'POST /v1/outbox',
  'POST /v1/projects',
  'POST /v1/projects/{project_id}/daily-sessions',
  'POST /v1/projects/{project_id}/roadmaps',
  'POST /v1/run-agent',
  'POST /v1/run-pipeline',
]);
