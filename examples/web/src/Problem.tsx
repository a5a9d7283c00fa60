import { explain } from './stead.ts';

/** What went wrong, in words for people. */
export function Problem({ of }: { of: unknown }) {
  if (of === null || of === undefined) return null;
  return (
    <p role="alert" className="problem">
      {explain(of)}
    </p>
  );
}
