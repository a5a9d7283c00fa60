"""Document 003: its environment variables, each read or said what became of it."""

from __future__ import annotations

import base64

import pytest

from stead.assembly import load_settings
from stead.assembly.errors import SettingsInvalid
from stead.assembly.traces import traces_config
from tests.docs.pages import ROOT, code, rows

VARIABLES = [
    "SUPABASE_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
    "SUPERMEMORY_API_KEY",
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    "CLERK_SECRET_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_SECRET_KEY",
    "LANGFUSE_HOST",
    "NEXT_PUBLIC_POSTHOG_KEY",
    "POSTHOG_HOST",
    "ANTHROPIC_API_KEY",
    "UPSTASH_REDIS_REST_URL",
    "UPSTASH_REDIS_REST_TOKEN",
]


def _publishable(host: str) -> str:
    return "pk_test_" + base64.b64encode(f"{host}$".encode()).decode().rstrip("=")


def test_supabase_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://abc.supabase.co")
    assert load_settings().effective_jwks_url == "https://abc.supabase.co/auth/v1/.well-known/jwks.json"


def test_anthropic_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-x")
    key = load_settings().anthropic_api_key
    assert key is not None
    assert key.get_secret_value() == "sk-ant-x"


def test_langfuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGFUSE_HOST", "https://langfuse.example.com")
    assert traces_config(load_settings()) is None
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-lf-1")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-lf-1")
    config = traces_config(load_settings())
    assert config is not None
    assert config.url == "https://langfuse.example.com/api/public/otel/v1/traces"
    keys = base64.b64encode(b"pk-lf-1:sk-lf-1").decode()
    assert config.headers["authorization"] == f"Basic {keys}"


def test_posthog(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().posthog_key is None
    monkeypatch.setenv("NEXT_PUBLIC_POSTHOG_KEY", "phc_1")
    monkeypatch.setenv("POSTHOG_HOST", "https://eu.i.posthog.com")
    settings = load_settings()
    assert settings.posthog_key is not None
    assert settings.posthog_key.get_secret_value() == "phc_1"
    assert settings.posthog_host == "https://eu.i.posthog.com"


@pytest.mark.parametrize("host", ["clerk.example.com", "brave-cat-12.clerk.accounts.dev"])
def test_clerk_publishable_key(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", _publishable(host))
    assert load_settings().clerk_issuer == f"https://{host}"
    monkeypatch.setenv("STEAD_CLERK_ISSUER", "https://auth.example.com")
    assert load_settings().clerk_issuer == "https://auth.example.com"


@pytest.mark.parametrize(
    "key", ["pk_test_", "pk_live_!!!", _publishable("user@evil.example/x"), _publishable("")[:-2]]
)
def test_a_key_that_names_no_host_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", key)
    with pytest.raises(SettingsInvalid):
        load_settings()


def test_each_variable_is_accounted_for() -> None:
    told = [code(cells[0]) for cells in rows(ROOT / "docs" / "how-to" / "build-a-mentor.md")]
    assert told == VARIABLES
