import { useConfig } from '../config.tsx';
import type { Track } from '../track.ts';

/** Where somebody goes next, as far as it is configured. */
export function Offers({ sessionId, track }: { sessionId: string; track: Track }) {
  const { callUrl, checkoutUrl, planId } = useConfig().mentor;
  return (
    <>
      {callUrl && (
        <p>
          <a href={`${callUrl}?${new URLSearchParams({ utm_content: sessionId })}`}>Book a call</a>
        </p>
      )}
      {checkoutUrl && planId && (
        <p>
          <a href={checkoutUrl} onClick={() => track('conversion.checkout_started', { sessionId, planId })}>
            Join the programme
          </a>
        </p>
      )}
    </>
  );
}
