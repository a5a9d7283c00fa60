import { useEffect, useRef, type ReactNode } from 'react';

/** The heading of what has just been asked for: the keyboard goes on from there, and a screen reader says it. */
export function Heading({ focus = false, children }: { focus?: boolean | undefined; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus) heading.current?.focus();
  }, [focus]);
  return (
    <h2 ref={heading} tabIndex={-1}>
      {children}
    </h2>
  );
}
