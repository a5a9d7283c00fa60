"""Secrets as a setting has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stead.assembly.errors import SettingsInvalid
from stead.assembly.settings import load_settings
from stead.assembly.wiring import tool_secrets

CANARY = "CANARY-0123456789"


async def test_a_secret_is_for_its_hosts_and_tenants() -> None:
    told = {
        "shop": {"value": CANARY, "hosts": ["API.example.com"]},
        "own": {"value": CANARY, "hosts": ["api.example.com"], "tenants": ["acme"]},
    }
    source = tool_secrets(load_settings(tool_secrets=json.dumps(told)))
    assert await source.secret("globex", "shop", "api.example.com") == CANARY
    assert await source.secret("acme", "own", "api.example.com") == CANARY
    assert await source.secret("globex", "own", "api.example.com") is None
    assert await source.secret("acme", "own", "evil.example.com") is None
    assert await source.secret("acme", "none", "api.example.com") is None
    assert await tool_secrets(load_settings()).secret("acme", "shop", "api.example.com") is None


@pytest.mark.parametrize(
    "told",
    [
        CANARY,
        {"x": CANARY},
        {"x": {"value": CANARY}},
        {"x": {"value": CANARY, "hosts": []}},
        {"x": {"value": CANARY + "\n", "hosts": ["a"]}},
        {"x": {"value": "short", "hosts": ["a"]}},
        {"x": {"value": CANARY, "hosts": ["a"], "more": CANARY}},
    ],
)
def test_what_cannot_be_read_is_said_without_the_secret(told: Any) -> None:
    settings = load_settings(tool_secrets=told if isinstance(told, str) else json.dumps(told))
    with pytest.raises(SettingsInvalid, match="STEAD_TOOL_SECRETS") as raised:
        tool_secrets(settings)
    assert "CANARY" not in str(raised.value)
