"""Names of models and what each needs, known without loading any SDK."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final, Literal

from stead.providers.models.errors import ModelNotConfigured, ModelUnknown

OFFLINE: Final = "offline"
_REASONING: Final = re.compile(r"openai/(?:o[0-9]|gpt-5)")
OpenAIApi = Literal["responses", "chat_completions"]


def is_offline(name: str) -> bool:
    """Whether this is the model that answers by rule."""
    return name == OFFLINE


def takes_temperature(name: str) -> bool:
    """Whether the model takes a temperature. OpenAI's reasoning models refuse a request that has one."""
    return _REASONING.match(name) is None or "-chat" in name


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Keys and addresses of the providers.

    Args:
        openai_api: Which of OpenAI's two APIs is spoken; None: ``responses`` with OpenAI itself, and
            ``chat_completions`` with a base URL of one's own, which is what most compatible servers speak.
        timeout_s: For one attempt of one call, from the request to the last token.
        offline_delay_s: Between two words of the offline model.
    """

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str | None = None
    openai_api: OpenAIApi | None = None
    anthropic_api_key: str | None = field(default=None, repr=False)
    anthropic_base_url: str | None = None
    timeout_s: float = 300.0
    offline_delay_s: float = 0.0


def check_model(name: str, config: ModelConfig) -> tuple[str, str]:
    """The provider and the provider's own name of a model.

    Raises:
        ModelUnknown: The name is of no known form.
        ModelNotConfigured: A key or an extra is missing.
    """
    provider, _, model = name.partition("/")
    if name == OFFLINE:
        return OFFLINE, OFFLINE
    if provider not in {"openai", "anthropic"} or not model:
        raise ModelUnknown(
            f"no model is called {name!r}",
            hint="Names are offline, openai/<model> and anthropic/<model>.",
        )
    if provider == "openai" and config.openai_api_key is None and config.openai_base_url is None:
        raise ModelNotConfigured(
            f"{name} needs a key", hint="Set OPENAI_API_KEY, or STEAD_OPENAI_BASE_URL."
        )
    if provider == "anthropic":
        if config.anthropic_api_key is None:
            raise ModelNotConfigured(f"{name} needs a key", hint="Set ANTHROPIC_API_KEY.")
        if find_spec("any_llm") is None or find_spec("anthropic") is None:
            raise ModelNotConfigured(f"{name} needs an extra", hint="pip install 'stead[anthropic]'")
    return provider, model
