import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      // What is tested is what is published: `npm run build` comes before.
      { find: '@stead/client', replacement: at('./dist/index.js') },
      { find: /^@\//, replacement: at('./examples/') },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    // One process: the tests wait for the server, and share the machine with it.
    pool: 'threads',
    fileParallelism: false,
    testTimeout: 20_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
