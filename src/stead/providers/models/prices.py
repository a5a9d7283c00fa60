"""What a run cost, by list prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars for a million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal


def _price(input_usd: str, output_usd: str, cached_usd: str) -> Price:
    return Price(input=Decimal(input_usd), output=Decimal(output_usd), cached=Decimal(cached_usd))


#: Providers' list prices as known when this version was made, by the longest prefix of the model's name.
#: They change: ``STEAD_MODEL_PRICES`` overrides them.
LIST_PRICES: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "offline": _price("0", "0", "0"),
        "openai/gpt-4o": _price("2.50", "10", "1.25"),
        "openai/gpt-4o-mini": _price("0.15", "0.60", "0.075"),
        "openai/gpt-4.1": _price("2", "8", "0.50"),
        "openai/gpt-4.1-mini": _price("0.40", "1.60", "0.10"),
        "openai/gpt-4.1-nano": _price("0.10", "0.40", "0.025"),
        "openai/gpt-5": _price("1.25", "10", "0.125"),
        "openai/gpt-5-mini": _price("0.25", "2", "0.025"),
        "openai/gpt-5-nano": _price("0.05", "0.40", "0.005"),
        "anthropic/claude-sonnet-4": _price("3", "15", "0.30"),
        "anthropic/claude-haiku-4-5": _price("1", "5", "0.10"),
        "anthropic/claude-opus-4-1": _price("15", "75", "1.50"),
    }
)


class PriceList:
    """Prices by model, the configured ones before the list prices.

    Args:
        overrides: Model name to input, output and cached price, in US dollars for a million tokens.
    """

    def __init__(self, overrides: Mapping[str, tuple[float, float, float]] | None = None) -> None:
        own = {name: _price(*map(str, prices)) for name, prices in (overrides or {}).items()}
        self._prices = {**LIST_PRICES, **own}

    def cost_usd(
        self, model: str, *, input_tokens: int, output_tokens: int, cached_tokens: int
    ) -> Decimal | None:
        """What this many tokens cost, or None for a model whose price is not known.

        Args:
            model: Its name with the provider.
            input_tokens: All of them, the cached ones too.
            output_tokens: All of them.
            cached_tokens: How many of the input were read from the provider's cache.
        """
        fitting = [name for name in self._prices if model == name or model.startswith(f"{name}-")]
        if not fitting:
            return None
        price = self._prices[max(fitting, key=len)]
        fresh = max(input_tokens - cached_tokens, 0)
        total = fresh * price.input + cached_tokens * price.cached + output_tokens * price.output
        return total / 1_000_000
