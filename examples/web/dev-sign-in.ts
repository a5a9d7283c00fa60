// Stands in for an identity provider while you develop: `GET /dev/token?org=…&user=…` answers with what
// `stead token` prints. It is a part of Vite's development server and is in no build.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { Plugin } from 'vite';

const run = promisify(execFile);
const clone = fileURLToPath(new URL('../..', import.meta.url));
const stead = process.env.STEAD ?? `${clone}.venv/bin/stead`;

export function devSignIn(): Plugin {
  return {
    name: 'dev-sign-in',
    configureServer(server) {
      server.middlewares.use('/dev/token', async (request, response) => {
        const asked = new URL(request.url ?? '', 'http://localhost').searchParams;
        response.setHeader('content-type', 'application/json');
        try {
          // The folder where `stead up` runs: its database and its secret are in .stead there.
          const { stdout } = await run(
            stead,
            ['token', `--tenant=${asked.get('org')}`, `--profile=${asked.get('user')}`],
            { cwd: clone },
          );
          response.end(JSON.stringify({ token: stdout.trim() }));
        } catch (error) {
          response.statusCode = 500;
          response.end(JSON.stringify({ error: String(error) }));
        }
      });
    },
  };
}
