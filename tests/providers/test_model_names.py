"""What is known of models by their names."""

from __future__ import annotations

import pytest

from stead.providers.models import takes_temperature


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("openai/gpt-5", False),
        ("openai/gpt-5-mini", False),
        ("openai/o3-mini", False),
        ("openai/o1", False),
        ("openai/gpt-5-chat-latest", True),
        ("openai/gpt-4.1", True),
        ("openai/llama3.2", True),
        ("anthropic/claude-sonnet-4-5", True),
        ("offline", True),
    ],
)
def test_models_that_refuse_a_temperature_are_given_none(name: str, takes: bool) -> None:
    assert takes_temperature(name) is takes
