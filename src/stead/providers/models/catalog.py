"""From a model's name to something that the Agents SDK can call."""

from __future__ import annotations

from typing import Any, cast

from agents import Model, OpenAIChatCompletionsModel, OpenAIResponsesModel, set_trace_processors
from openai import AsyncOpenAI
from typing_extensions import override

from stead.db import assert_no_transaction
from stead.providers.models.names import OFFLINE, ModelConfig, check_model
from stead.providers.models.offline import OfflineModel


class ModelCatalog:
    """Models by name. Clients are made once and keep their connections."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._openai: AsyncOpenAI | None = None
        self._models: dict[str, Model] = {}
        # The SDK would send traces to its maker: nothing leaves by default.
        set_trace_processors([])

    def get(self, name: str) -> Model:
        """The model of that name.

        Raises:
            ModelUnknown: The name is of no known form.
            ModelNotConfigured: A key or an extra is missing.
            RuntimeError: A transaction is open.
        """
        assert_no_transaction(f"calling the model {name}")
        if name not in self._models:
            self._models[name] = self._build(name)
        return self._models[name]

    async def aclose(self) -> None:
        """Closes connections to providers."""
        for model in self._models.values():
            await model.close()
        if self._openai is not None:
            await self._openai.close()

    def _build(self, name: str) -> Model:
        provider, model = check_model(name, self._config)
        if provider == OFFLINE:
            return OfflineModel(delay_s=self._config.offline_delay_s)
        if provider == "anthropic":
            from stead.providers.models.anthropic import build  # noqa: PLC0415 - an optional extra

            return build(model, self._config.anthropic_api_key or "", self._config.anthropic_base_url)
        return self._build_openai(model)

    def _build_openai(self, model: str) -> Model:
        config = self._config
        if self._openai is None:
            self._openai = AsyncOpenAI(
                api_key=config.openai_api_key or "none",
                base_url=config.openai_base_url,
                timeout=config.timeout_s,
                max_retries=0,  # the run loop retries, and knows whether the answer has begun
            )
        api = config.openai_api or ("chat_completions" if config.openai_base_url else "responses")
        if api == "responses":
            return _PlainInput(model, openai_client=self._openai)
        return OpenAIChatCompletionsModel(model, openai_client=self._openai)


class _PlainInput(OpenAIResponsesModel):
    """Sends the conversation as it is.

    The client would match every item of it against a union of some thirty types, to rename members that ours
    do not have: a millisecond an item, which is most of the time to the first token of a long conversation.
    """

    @override
    def _build_response_create_kwargs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        request = super()._build_response_create_kwargs(*args, **kwargs)
        extra = request.get("extra_body")
        request["extra_body"] = {
            **(cast("dict[str, Any]", extra) if isinstance(extra, dict) else {}),
            "input": request.pop("input"),
        }
        return request
