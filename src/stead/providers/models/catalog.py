"""From a model's name to something that the Agents SDK can call."""

from __future__ import annotations

from agents import Model, set_trace_processors

from stead.db import assert_no_transaction
from stead.providers.models.names import OFFLINE, ModelConfig, check_model
from stead.providers.models.offline import OfflineModel
from stead.providers.models.openai import ChatCompletionsModel, ResponsesModel, StreamingClient


class ModelCatalog:
    """Models by name. Clients are made once and keep their connections."""

    def __init__(self, config: ModelConfig) -> None:
        self._config = config
        self._openai: StreamingClient | None = None
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

    def times_streams(self, name: str) -> bool:
        """Whether that model ends a stream that takes too long by itself."""
        return check_model(name, self._config)[0] == "openai"

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
            self._openai = StreamingClient(
                api_key=config.openai_api_key or "none",
                base_url=config.openai_base_url,
                timeout=config.timeout_s,
                max_retries=0,  # the run loop retries, and knows whether the answer has begun
            )
        api = config.openai_api or ("chat_completions" if config.openai_base_url else "responses")
        if api == "responses":
            return ResponsesModel(model, self._openai, config.timeout_s)
        return ChatCompletionsModel(model, self._openai, config.timeout_s)
