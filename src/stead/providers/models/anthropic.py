"""Anthropic's models, through any-llm (the extra ``anthropic``)."""

from __future__ import annotations

import os
from typing import Any

from agents import Model
from agents.extensions.models.any_llm_model import AnyLLMModel
from typing_extensions import override

# Without it any-llm wraps every provider error into a deprecation warning first. Read when an error is raised.
os.environ.setdefault("ANY_LLM_UNIFIED_EXCEPTIONS", "1")


def build(model: str, api_key: str, base_url: str | None) -> Model:
    """A model of Anthropic's.

    Args:
        model: Its name without the provider.
        api_key: The key.
        base_url: Another address than Anthropic's own.
    """
    return _WithoutOwnRetries(f"anthropic/{model}", base_url=base_url, api_key=api_key)


class _WithoutOwnRetries(AnyLLMModel):
    """The run loop retries, and knows whether the answer has begun: the client below it must not."""

    @override
    def _get_provider(self) -> Any:
        return self._clone_provider_without_retries(super()._get_provider())
