"""When a model call is tried again."""

from __future__ import annotations

from agents import ModelRetrySettings, retry_policies


def retry_settings(max_retries: int) -> ModelRetrySettings:
    """Retries for rate limits, provider faults and lost connections, before the answer has begun.

    Once a part of the answer was streamed, a second try would say it twice: the SDK does not repeat then.
    A ``Retry-After`` of the provider is respected; otherwise the pauses grow from half a second, with jitter.

    Args:
        max_retries: Tries after the first.
    """
    return ModelRetrySettings(
        max_retries=max_retries,
        backoff={"initial_delay": 0.5, "max_delay": 8.0, "multiplier": 2.0, "jitter": True},
        policy=retry_policies.any(
            retry_policies.http_status([408, 409, 429, 500, 502, 503, 504, 529]),
            retry_policies.network_error(),
            retry_policies.retry_after(),
        ),
    )
