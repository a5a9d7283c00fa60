import { useCallback, useEffect, useRef, useState } from 'react';

/** Something that is done when somebody asks for it: whether it goes on, and how it failed. */
export function useAction<A extends unknown[]>(act: (...given: A) => Promise<unknown>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const latest = useRef(act);
  latest.current = act;
  const run = useCallback(async (...given: A) => {
    setBusy(true);
    setError(null);
    try {
      await latest.current(...given);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }, []);
  return { run, busy, error };
}

/** What is loaded as soon as it is known what to load, and again where that changes. What is late is dropped. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]) {
  const [state, setState] = useState<{ data: T | null; error: unknown }>({ data: null, error: null });
  useEffect(() => {
    const leaving = new AbortController();
    load(leaving.signal).then(
      (data) => leaving.signal.aborted || setState({ data, error: null }),
      (error: unknown) => leaving.signal.aborted || setState({ data: null, error }),
    );
    return () => leaving.abort();
    // What `load` closes over is named by the caller.
  }, deps);
  return state;
}
