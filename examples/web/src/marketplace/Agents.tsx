import type { QueryOf } from '@stead/client';
import { useState } from 'react';

import type { Agent } from '../stead.ts';

export type Search = QueryOf<'get', '/api/agents'>;

interface AgentsProps {
  found: Agent[] | null;
  picked: string[];
  onPick: (slug: string, on: boolean) => void;
  onSearch: (search: Search) => void;
  onChat: (agent: Agent) => void;
  onWait: (agent: Agent) => void;
}

export function Agents({ found, picked, onPick, onSearch, onChat, onWait }: AgentsProps) {
  return (
    <section aria-label="Agents">
      <SearchForm onSearch={onSearch} />
      <p role="status" className="quiet">
        {found === null ? 'Looking…' : found.length === 1 ? '1 agent' : `${found.length} agents`}
      </p>
      <ul className="cards">
        {found?.map((agent) => (
          <li key={agent.slug}>
            <h2>{agent.name}</h2>
            <p>{agent.tagline}</p>
            <p className="quiet">{facts(agent).join(' · ')}</p>
            <p className="choices">
              <label>
                <input
                  type="checkbox"
                  checked={picked.includes(agent.slug)}
                  onChange={(event) => onPick(agent.slug, event.target.checked)}
                />
                Compare {agent.name}
              </label>
              <button type="button" onClick={() => onChat(agent)}>
                Chat with {agent.name}
              </button>
              <button type="button" onClick={() => onWait(agent)}>
                Ask for {agent.name}
              </button>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function SearchForm({ onSearch }: { onSearch: (search: Search) => void }) {
  const [typed, setTyped] = useState({ q: '', industry: '', max_price: '', min_rating: '' });
  const field = (name: keyof typeof typed) => ({
    name,
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  return (
    <form
      role="search"
      className="fields"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch({
          q: typed.q.trim() || undefined,
          industry: typed.industry.trim() ? [typed.industry.trim()] : undefined,
          max_price: numberIn(typed.max_price),
          min_rating: numberIn(typed.min_rating),
        });
      }}
    >
      <label>
        What for?
        <input type="search" maxLength={4000} {...field('q')} />
      </label>
      <label>
        Industry
        <input maxLength={100} {...field('industry')} />
      </label>
      <label>
        At most, in dollars
        <input type="number" min={0} {...field('max_price')} />
      </label>
      <label>
        Rated at least
        <select {...field('min_rating')}>
          <option value="">any</option>
          <option value="4">4 of 5</option>
          <option value="4.5">4.5 of 5</option>
        </select>
      </label>
      <button>Search</button>
    </form>
  );
}

export const numberIn = (text: string): number | undefined => (text.trim() === '' ? undefined : Number(text));

function facts(agent: Agent): string[] {
  return [
    agent.base_rate === null ? null : `$${agent.base_rate} (${agent.pricing_model ?? 'rate'})`,
    agent.rating === null ? null : `${agent.rating} of 5`,
    agent.success_rate === null ? null : `${agent.success_rate}% succeed`,
    agent.industries.join(', '),
  ].filter((fact): fact is string => fact !== null && fact !== '');
}
