import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

import { devSignIn } from './dev-sign-in.ts';

export default defineConfig({
  plugins: [react(), devSignIn()],
  // Port 3000 of this machine is an origin that Stead takes calls from by default (STEAD_CORS_ORIGINS).
  server: { host: '127.0.0.1', port: 3000, strictPort: true },
  preview: { host: '127.0.0.1', port: 3000, strictPort: true },
});
