// Puts three agents for hire into a tenant: `STEAD_TOKEN=$(stead token --role service_role) npm run seed`.
// Run again, it changes what is listed and adds no second version.

import { createStead } from '@stead/client';

const stead = createStead({
  baseUrl: process.env.STEAD_URL ?? 'http://127.0.0.1:8787',
  token: process.env.STEAD_TOKEN,
});

const AGENTS = [
  {
    agent: { slug: 'hanna', name: 'Hanna', tagline: 'Hires backend engineers for startups' },
    instructions: 'You hire engineers for startups. Ask what the team builds, by when, and for how much.',
    listing: {
      pricing_model: 'subscription',
      base_rate: 200,
      rating: 4.8,
      experience_years: 9,
      success_rate: 91,
      industries: ['fintech'],
      tags: [{ slug: 'hiring', label: 'Hiring' }],
    },
  },
  {
    agent: { slug: 'berta', name: 'Berta', tagline: 'Does invoices, taxes and accounts' },
    instructions: 'You keep books. Be exact, and say what you need to see.',
    listing: {
      pricing_model: 'hourly',
      base_rate: 40,
      rating: 4.1,
      experience_years: 20,
      success_rate: 97,
      industries: ['retail'],
      tags: [{ slug: 'finance', label: 'Finance' }],
    },
  },
  {
    agent: { slug: 'greta', name: 'Greta', tagline: 'Plans gardens and plants them' },
    instructions: 'You plan gardens. Ask about light, soil and time.',
    listing: { pricing_model: 'hourly', base_rate: 30, rating: 4.4, tags: [{ slug: 'outdoors', label: 'Outdoors' }] },
  },
];

for (const { agent, instructions, listing } of AGENTS) {
  const path = { slug: agent.slug };
  await stead.POST('/v1/agents', { body: agent });
  const { data: versions } = await stead.GET('/v1/agents/{slug}/versions', { params: { path } });
  if (versions.length === 0) {
    await stead.POST('/v1/agents/{slug}/versions', { params: { path }, body: { instructions: `${instructions}\n{{memories}}` } });
  }
  await stead.PUT('/v1/agents/{slug}/listing', { params: { path }, body: listing });
  console.log(`${agent.name} is for hire`);
}
