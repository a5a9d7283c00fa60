"""Settings: names, aliases, defaults, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stead.assembly import load_settings
from stead.assembly.errors import SettingsInvalid
from stead.assembly.mcp_servers import servers_of
from stead.assembly.settings import Settings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_everything_has_a_default() -> None:
    settings = load_settings()
    assert (settings.host, settings.port, settings.env) == ("127.0.0.1", 8787, "development")
    assert (settings.model, settings.embedder) == ("offline", "static")
    assert settings.database_url is None
    assert settings.home.is_absolute()


def test_variables_of_others_are_not_taken_for_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "HOST", "ENV", "MODEL", "EMBEDDER", "LOG_LEVEL", "RATE_LIMIT"):
        monkeypatch.setenv(name, "/somebody/elses")
    settings = load_settings()
    assert (settings.host, settings.env, settings.model) == ("127.0.0.1", "development", "offline")
    assert settings.home != Path("/somebody/elses")


def test_a_clone_keeps_its_data_beside_it(tmp_path: Path) -> None:
    (tmp_path / "src" / "stead").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    assert load_settings().home == tmp_path / ".stead"


@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [
        ("DATABASE_URL", "database_url", "postgresql://u:p@h/d"),
        ("PY_AGENT_SERVICE_SECRET", "service_secret", "s" * 20),
        ("OPENAI_API_KEY", "openai_api_key", "sk-1"),
        ("ANTHROPIC_API_KEY", "anthropic_api_key", "sk-2"),
        ("SUPABASE_JWT_SECRET", "jwt_secret", "x" * 40),
        ("SUPABASE_URL", "supabase_url", "https://p.supabase.co"),
        ("REDIS_URL", "redis_url", "redis://h"),
    ],
)
def test_the_names_of_the_documents_are_accepted(
    monkeypatch: pytest.MonkeyPatch, alias: str, name: str, value: str
) -> None:
    monkeypatch.setenv(alias, value)
    found = getattr(load_settings(), name)
    assert (found if isinstance(found, str) else found.get_secret_value()) == value
    monkeypatch.setenv(f"STEAD_{name.upper()}", value + "-ours")
    found = getattr(load_settings(), name)
    assert (found if isinstance(found, str) else found.get_secret_value()) == value + "-ours"


def test_an_env_file_is_read_and_blank_means_unset(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "STEAD_PORT=9001\nOPENAI_API_KEY=\nSTEAD_CORS_ORIGINS=https://a.b, https://c.d\n"
    )
    settings = load_settings()
    assert settings.port == 9001
    assert settings.openai_api_key is None
    assert settings.cors_origins == ("https://a.b", "https://c.d")


def test_supabase_keys_follow_from_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_URL", "https://p.supabase.co/")
    assert load_settings().effective_jwks_url == "https://p.supabase.co/auth/v1/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEAD_PORT", "99999"),
        ("STEAD_ENV", "staging"),
        ("STEAD_DATABASE_POOL_SIZE", "1"),
        ("STEAD_LOG_LEVEL", "loud"),
    ],
)
def test_what_does_not_fit_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as refused:
        load_settings()
    assert name in refused.value.detail
    assert refused.value.hint


def test_production_needs_a_model_and_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEAD_ENV", "production")
    with pytest.raises(SettingsInvalid, match="STEAD_MODEL"):
        load_settings()
    monkeypatch.setenv("STEAD_MODEL", "openai/gpt-5")
    with pytest.raises(SettingsInvalid, match="STEAD_JWT_SECRET"):
        load_settings()
    monkeypatch.setenv("STEAD_JWT_SECRET", "x" * 40)
    assert load_settings().is_production


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in Settings.model_fields.items():
        if "SecretStr" in str(field.annotation):
            secret = "canary-" + "x" * 40
            by_tenant = str(field.annotation).startswith("dict")
            monkeypatch.setenv(
                f"STEAD_{name.upper()}", json.dumps({"acme": secret}) if by_tenant else secret
            )
    assert "canary" not in repr(load_settings())
    assert "canary" not in str(load_settings().model_dump())


def test_secrets_of_webhooks_are_by_tenant_and_cannot_be_guessed() -> None:
    found = load_settings(whop_webhook_secrets='{"acme": "ws_0123456789abcdef"}').whop_webhook_secrets
    assert found["acme"].get_secret_value() == "ws_0123456789abcdef"
    for wrong in ('{"acme": "short"}', '["ws_0123456789abcdef"]', "ws_0123456789abcdef", '{"acme": 7}'):
        for name in ("whop_webhook_secrets", "calendly_webhook_secrets"):
            with pytest.raises(SettingsInvalid, match=f"STEAD_{name.upper()}") as refused:
                load_settings(**{name: wrong})
            assert "short" not in str(refused.value.detail)
            assert "0123456789" not in str(refused.value.detail)


def test_mcp_servers_are_read_and_checked() -> None:
    servers = {
        "files": {"command": "mcp-files", "args": ["/srv"], "tenants": ["acme"]},
        "crm": {
            "url": "https://crm.example.com/mcp",
            "tools": {"find": {"risk": "low", "idempotent": True}},
        },
    }
    files, crm = servers_of(load_settings(mcp_servers=json.dumps(servers)).mcp_servers)
    assert (files.name, files.command, files.args) == ("files", "mcp-files", ("/srv",))
    assert (files.serves("acme"), files.serves("other"), crm.serves("other")) == (True, False, True)
    assert crm.tools["find"].idempotent
    for wrong in ({"x": {}}, {"x": {"command": "y", "shell": True}}, {"X": {"command": "y"}}, ["x"]):
        with pytest.raises(SettingsInvalid, match="STEAD_MCP_SERVERS"):
            load_settings(mcp_servers=json.dumps(wrong))
