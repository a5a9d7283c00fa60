import { useCallback, useState } from 'react';

/** State that survives a reload. It holds ids, never tokens: every script of the page can read it. */
export function useStored<T>(key: string): [T | null, (value: T | null) => void] {
  const [stored, setStored] = useState(() => ({ key, value: read<T>(key) }));
  const value = stored.key === key ? stored.value : read<T>(key);
  const store = useCallback(
    (next: T | null) => {
      if (next === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(next));
      setStored({ key, value: next });
    },
    [key],
  );
  return [value, store];
}

function read<T>(key: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null') as T | null;
  } catch {
    return null; // Somebody else wrote it.
  }
}
