// Where things are. It is read when the page loads, so that one build runs everywhere.

import { createContext, use, type ReactNode } from 'react';

export interface Config {
  /** Stead's address. This page's origin is one of its STEAD_CORS_ORIGINS. */
  apiUrl: string;
  /** Answers `GET ?org=…&user=…` with `{token}`: see identity.tsx. */
  tokenUrl: string;
  marketplace: { orgId: string };
  mentor: {
    orgId: string;
    agent: string;
    name: string;
    /** A Calendly page; with the session in `utm_content` its webhook finds it again. */
    callUrl?: string;
    /** A checkout of Whop, and its plan. Its webhook names the session where your server made the checkout with it
     * (`metadata.session_id`): a link cannot carry it. */
    checkoutUrl?: string;
    planId?: string;
  };
}

const ConfigContext = createContext<Config | null>(null);

export async function loadConfig(): Promise<Config> {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`/config.json: ${answer.status}`);
  return (await answer.json()) as Config;
}

export function Configured({ config, children }: { config: Config; children: ReactNode }) {
  return <ConfigContext value={config}>{children}</ConfigContext>;
}

export function useConfig(): Config {
  const config = use(ConfigContext);
  if (config === null) throw new Error('outside of <Configured>');
  return config;
}
