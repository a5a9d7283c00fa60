"""Every setting of Stead, read once, from the environment and a ``.env`` file."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from stead.assembly.errors import SettingsInvalid
from stead.assembly.mcp_servers import McpServerSetting, servers_of
from stead.core.errors import SteadError


def _names(name: str, *aliases: str) -> AliasChoices:
    """STEAD_<name> first, then the names that other tools use."""
    return AliasChoices(f"STEAD_{name}", *aliases)


def default_home() -> Path:
    """``./.stead`` inside a clone of Stead, else the platform's data directory."""
    here = Path.cwd()
    if (here / "src" / "stead").is_dir() and (here / "pyproject.toml").is_file():
        return here / ".stead"
    return user_data_path("stead", appauthor=False)


_LOOPBACK = ("127.0.0.1", "localhost", "::1")

#: Several values in one variable, with commas between them.
Names = Annotated[tuple[str, ...], NoDecode]

#: By tenant (its slug), in JSON. A secret that can be guessed proves nothing.
WebhookSecrets = Annotated[
    dict[str, Annotated[SecretStr, Field(min_length=16, max_length=512)]], NoDecode
]


class Settings(BaseSettings):
    """Stead's settings. Each has a working default; ``.env.example`` explains them."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    home: Path = Field(default_factory=default_home, validation_alias=_names("HOME"))
    database_url: SecretStr | None = Field(
        None, validation_alias=_names("DATABASE_URL", "DATABASE_URL", "SUPABASE_DB_URL")
    )
    admin_database_url: SecretStr | None = Field(None, validation_alias=_names("ADMIN_DATABASE_URL"))
    listen_database_url: SecretStr | None = Field(None, validation_alias=_names("LISTEN_DATABASE_URL"))
    database_pool_size: int = Field(20, ge=2, le=500, validation_alias=_names("DATABASE_POOL_SIZE"))
    host: str = Field("127.0.0.1", validation_alias=_names("HOST"))
    port: int = Field(8787, ge=0, le=65535, validation_alias=_names("PORT", "PORT"))
    env: Literal["development", "production"] = Field("development", validation_alias=_names("ENV"))

    model: str = Field("offline", validation_alias=_names("MODEL"))
    embedder: str = Field("static", validation_alias=_names("EMBEDDER"))
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=_names("OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    openai_base_url: str | None = Field(
        None, validation_alias=_names("OPENAI_BASE_URL", "OPENAI_BASE_URL")
    )
    openai_api: Literal["responses", "chat_completions"] | None = Field(
        None, validation_alias=_names("OPENAI_API")
    )
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias=_names("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY")
    )
    anthropic_base_url: str | None = Field(
        None, validation_alias=_names("ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL")
    )
    model_timeout_s: float = Field(300.0, gt=0, validation_alias=_names("MODEL_TIMEOUT_S"))
    model_prices: Annotated[dict[str, tuple[float, float, float]], NoDecode] = Field(
        default_factory=dict, validation_alias=_names("MODEL_PRICES")
    )
    offline_delay_s: float = Field(0.0, ge=0, le=5, validation_alias=_names("OFFLINE_DELAY_S"))

    jwt_secret: SecretStr | None = Field(
        None, validation_alias=_names("JWT_SECRET", "SUPABASE_JWT_SECRET")
    )
    supabase_url: str | None = Field(
        None, validation_alias=_names("SUPABASE_URL", "SUPABASE_URL", "NEXT_PUBLIC_SUPABASE_URL")
    )
    jwks_url: str | None = Field(None, validation_alias=_names("JWKS_URL"))
    clerk_issuer: str | None = Field(
        None,
        validation_alias=_names(
            "CLERK_ISSUER", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"
        ),
    )
    clerk_authorized_parties: Names = Field((), validation_alias=_names("CLERK_AUTHORIZED_PARTIES"))
    service_secret: SecretStr | None = Field(
        None, validation_alias=_names("SERVICE_SECRET", "PY_AGENT_SERVICE_SECRET")
    )

    dispatch: Literal["postgres", "celery"] = Field("postgres", validation_alias=_names("DISPATCH"))
    job_concurrency: int = Field(100, ge=1, le=10_000, validation_alias=_names("JOB_CONCURRENCY"))
    job_queues: Names = Field((), validation_alias=_names("JOB_QUEUES"))
    job_keep_days: float = Field(30.0, gt=0, le=36_500, validation_alias=_names("JOB_KEEP_DAYS"))

    outbox_concurrency: int = Field(64, ge=1, le=10_000, validation_alias=_names("OUTBOX_CONCURRENCY"))
    outbox_keep_days: float = Field(90.0, gt=0, le=36_500, validation_alias=_names("OUTBOX_KEEP_DAYS"))
    outbox_dlq_limit: int = Field(0, ge=0, validation_alias=_names("OUTBOX_DLQ_LIMIT"))

    broker_url: SecretStr | None = Field(
        None, validation_alias=_names("BROKER_URL", "CELERY_BROKER_URL")
    )
    app: str | None = Field(None, validation_alias=_names("APP"))
    redis_url: SecretStr | None = Field(None, validation_alias=_names("REDIS_URL", "REDIS_URL"))
    rate_limit: str = Field("120/minute", validation_alias=_names("RATE_LIMIT"))
    session_rate_limit: str = Field("120/minute", validation_alias=_names("SESSION_RATE_LIMIT"))
    address_rate_limit: str = Field("1200/minute", validation_alias=_names("ADDRESS_RATE_LIMIT"))
    open_rate_limit: str = Field("60/minute", validation_alias=_names("OPEN_RATE_LIMIT"))
    chat_rate_limit: str = Field("30/minute", validation_alias=_names("CHAT_RATE_LIMIT"))
    address_chat_rate_limit: str = Field(
        "300/minute", validation_alias=_names("ADDRESS_CHAT_RATE_LIMIT")
    )
    service_rate_limit: str | None = Field(None, validation_alias=_names("SERVICE_RATE_LIMIT"))
    service_chat_rate_limit: str | None = Field(None, validation_alias=_names("SERVICE_CHAT_RATE_LIMIT"))
    unknown_id_rate_limit: str = Field("60/minute", validation_alias=_names("UNKNOWN_ID_RATE_LIMIT"))
    trusted_proxies: Names = Field((), validation_alias=_names("TRUSTED_PROXIES"))
    cors_origins: Names = Field(
        ("http://localhost:3000", "http://127.0.0.1:3000"), validation_alias=_names("CORS_ORIGINS")
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, validation_alias=_names("MAX_BODY_BYTES"))
    mcp_hosts: Names = Field((), validation_alias=_names("MCP_HOSTS"))
    tool_hosts: Names = Field((), validation_alias=_names("TOOL_HOSTS"))
    tool_secrets: SecretStr | None = Field(None, validation_alias=_names("TOOL_SECRETS"))
    github_api_url: str = Field(
        "https://api.github.com", pattern=r"^https?://\S+$", validation_alias=_names("GITHUB_API_URL")
    )
    audit_anchors: Path | None = Field(None, validation_alias=_names("AUDIT_ANCHORS"))
    mcp_servers: Annotated[dict[str, McpServerSetting], NoDecode] = Field(
        default_factory=dict, validation_alias=_names("MCP_SERVERS")
    )
    composio_api_key: SecretStr | None = Field(
        None, validation_alias=_names("COMPOSIO_API_KEY", "COMPOSIO_API_KEY")
    )
    composio_base_url: str = Field(
        "https://backend.composio.dev",
        pattern=r"^https?://\S+$",
        validation_alias=_names("COMPOSIO_BASE_URL", "COMPOSIO_BASE_URL"),
    )
    composio_auth_configs: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, validation_alias=_names("COMPOSIO_AUTH_CONFIGS")
    )
    composio_webhook_secret: SecretStr | None = Field(
        None, validation_alias=_names("COMPOSIO_WEBHOOK_SECRET", "COMPOSIO_WEBHOOK_SECRET")
    )
    fit_weights: Annotated[dict[str, float], NoDecode] = Field(
        default_factory=dict, validation_alias=_names("FIT_WEIGHTS")
    )
    metrics_token: SecretStr | None = Field(None, validation_alias=_names("METRICS_TOKEN"))
    otlp_endpoint: str | None = Field(
        None,
        pattern=r"^https?://\S+$",
        validation_alias=_names("OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
    otlp_headers: SecretStr | None = Field(
        None, validation_alias=_names("OTLP_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
    )
    langfuse_public_key: str | None = Field(
        None, validation_alias=_names("LANGFUSE_PUBLIC_KEY", "LANGFUSE_PUBLIC_KEY")
    )
    langfuse_secret_key: SecretStr | None = Field(
        None, validation_alias=_names("LANGFUSE_SECRET_KEY", "LANGFUSE_SECRET_KEY")
    )
    langfuse_host: str = Field(
        "https://cloud.langfuse.com",
        pattern=r"^https?://\S+$",
        validation_alias=_names("LANGFUSE_HOST", "LANGFUSE_HOST", "LANGFUSE_BASE_URL"),
    )
    trace_content: bool | None = Field(None, validation_alias=_names("TRACE_CONTENT"))
    trace_ratio: float = Field(1.0, ge=0, le=1, validation_alias=_names("TRACE_RATIO"))
    posthog_key: SecretStr | None = Field(
        None, validation_alias=_names("POSTHOG_KEY", "NEXT_PUBLIC_POSTHOG_KEY", "POSTHOG_API_KEY")
    )
    posthog_host: str = Field(
        "https://us.i.posthog.com",
        pattern=r"^https?://\S+$",
        validation_alias=_names("POSTHOG_HOST", "POSTHOG_HOST"),
    )
    whop_webhook_secrets: WebhookSecrets = Field(
        default_factory=dict, validation_alias=_names("WHOP_WEBHOOK_SECRETS")
    )
    calendly_webhook_secrets: WebhookSecrets = Field(
        default_factory=dict, validation_alias=_names("CALENDLY_WEBHOOK_SECRETS")
    )
    events_keep_days: float = Field(400.0, gt=0, le=36_500, validation_alias=_names("EVENTS_KEEP_DAYS"))
    memory_tokens: int = Field(1200, ge=0, le=100_000, validation_alias=_names("MEMORY_TOKENS"))
    history_tokens: int = Field(600, ge=0, le=100_000, validation_alias=_names("HISTORY_TOKENS"))
    memory_model: str | None = Field(None, validation_alias=_names("MEMORY_MODEL"))
    reranker: str | None = Field(None, validation_alias=_names("RERANKER"))
    reranker_url: str | None = Field(None, validation_alias=_names("RERANKER_URL"))
    reranker_api_key: SecretStr | None = Field(None, validation_alias=_names("RERANKER_API_KEY"))
    session_timeout_h: float = Field(
        24.0, ge=0, le=876_000, validation_alias=_names("SESSION_TIMEOUT_H")
    )
    max_subscriptions: int = Field(
        1000, ge=1, le=1_000_000, validation_alias=_names("MAX_SUBSCRIPTIONS")
    )
    artifacts_url: str | None = Field(
        None, pattern=r"^(file:///|s3://)\S+$", validation_alias=_names("ARTIFACTS_URL")
    )
    artifacts_endpoint: str | None = Field(
        None, pattern=r"^https?://\S+$", validation_alias=_names("ARTIFACTS_ENDPOINT")
    )
    artifacts_region: str = Field("us-east-1", validation_alias=_names("ARTIFACTS_REGION"))
    artifacts_access_key_id: str | None = Field(None, validation_alias=_names("ARTIFACTS_ACCESS_KEY_ID"))
    artifacts_secret_access_key: SecretStr | None = Field(
        None, validation_alias=_names("ARTIFACTS_SECRET_ACCESS_KEY")
    )
    max_artifact_bytes: int = Field(
        104_857_600, ge=1024, le=5 * 1024**4, validation_alias=_names("MAX_ARTIFACT_BYTES")
    )
    drain_s: float = Field(10.0, ge=0, le=600, validation_alias=_names("DRAIN_S"))
    stall_s: float = Field(30.0, gt=0, le=600, validation_alias=_names("STALL_S"))
    log_format: Literal["auto", "json", "console"] = Field("auto", validation_alias=_names("LOG_FORMAT"))
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=_names("LOG_LEVEL")
    )

    @field_validator(
        "clerk_authorized_parties",
        "trusted_proxies",
        "cors_origins",
        "mcp_hosts",
        "job_queues",
        "tool_hosts",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "model_prices",
        "mcp_servers",
        "composio_auth_configs",
        "fit_weights",
        "whop_webhook_secrets",
        "calendly_webhook_secrets",
        mode="before",
    )
    @classmethod
    def _read_json(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) and value.strip() else value
        except ValueError:
            raise ValueError("is not JSON") from None

    @field_validator("*", mode="before")
    @classmethod
    def _blank_is_unset(cls, value: object, info: Any) -> object:
        # A line such as OPENAI_API_KEY= in .env means: not set.
        if isinstance(value, str) and not value.strip():
            return cls.model_fields[info.field_name].get_default(call_default_factory=True)
        return value

    @model_validator(mode="after")
    def _production_is_real(self) -> Settings:
        if self.env == "production":
            if self.model == "offline":
                raise ValueError(
                    "STEAD_ENV=production needs a real model: set STEAD_MODEL, e.g. openai/gpt-5-mini"
                )
            if self.jwt_secret is None:
                raise ValueError("STEAD_ENV=production needs STEAD_JWT_SECRET (at least 32 bytes)")
        return self

    @model_validator(mode="after")
    def _celery_has_a_broker(self) -> Settings:
        if self.dispatch == "celery" and self.effective_broker_url is None:
            raise ValueError("STEAD_DISPATCH=celery needs STEAD_BROKER_URL or STEAD_REDIS_URL")
        return self

    @field_validator("mcp_servers")
    @classmethod
    def _mcp_servers_can_be(cls, value: dict[str, McpServerSetting]) -> dict[str, McpServerSetting]:
        try:
            servers_of(value)
        except SteadError as error:
            raise ValueError(error.detail) from None
        return value

    @field_validator("fit_weights")
    @classmethod
    def _give_a_score(cls, value: dict[str, float]) -> dict[str, float]:
        if not value:
            return value
        # Loaded where it is set, here and below: the parts take longer to load than most commands to run.
        from stead.apps.marketplace import FitWeights  # noqa: PLC0415

        try:
            FitWeights().changed(value)
        except SteadError as error:
            raise ValueError(error.detail) from None
        return value

    @field_validator(
        "rate_limit",
        "session_rate_limit",
        "address_rate_limit",
        "open_rate_limit",
        "chat_rate_limit",
        "address_chat_rate_limit",
        "service_rate_limit",
        "service_chat_rate_limit",
        "unknown_id_rate_limit",
    )
    @classmethod
    def _are_limits(cls, value: str | None) -> str | None:
        from limits import parse  # noqa: PLC0415

        try:
            limit = None if value is None else parse(value)
        except ValueError:
            limit = None
        if value is not None and (limit is None or limit.amount < 1):
            raise ValueError("is no limit such as 120/minute")
        return value

    @field_validator("clerk_issuer")
    @classmethod
    def _issuer_in_key(cls, value: str | None) -> str | None:
        # A publishable key is the Frontend API's host in base64, with a $ at its end.
        if value is None or not value.startswith(("pk_test_", "pk_live_")):
            return value
        written = value[len("pk_test_") :]
        try:
            host = base64.b64decode(written + "=" * (-len(written) % 4), validate=True).decode("ascii")
        except ValueError:
            host = ""
        if not re.fullmatch(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?\$", host):
            raise ValueError("is no publishable key of Clerk")
        return f"https://{host[:-1]}"

    @field_validator("session_timeout_h")
    @classmethod
    def _long_enough(cls, value: float) -> float:
        if 0 < value < 1 / 60:
            raise ValueError("a session times out after a minute at the earliest; 0: never")
        return value

    @property
    def is_production(self) -> bool:
        """Whether this is no development."""
        return self.env == "production"

    @property
    def effective_mcp_hosts(self) -> tuple[str, ...] | None:
        """Host names under which ``/mcp`` answers; None: any.

        A server for this machine alone is called by this machine's names. Under another name it is a page in a
        browser here that calls, whose owner let that name mean this machine (DNS rebinding).
        """
        if self.mcp_hosts:
            return tuple(name.lower() for name in self.mcp_hosts)
        return _LOOPBACK if self.host in _LOOPBACK else None

    @property
    def effective_artifacts_url(self) -> str:
        """The bucket of artifacts, by its own setting or a folder of this home."""
        return self.artifacts_url or (self.home / "artifacts").absolute().as_uri()

    @property
    def effective_broker_url(self) -> SecretStr | None:
        """The broker of Celery, by its own setting or the Redis that there is."""
        return self.broker_url or self.redis_url

    @property
    def effective_jwks_url(self) -> str | None:
        """The JWKS of the Supabase project, by its own setting or from the project's URL."""
        if self.jwks_url:
            return self.jwks_url
        if self.supabase_url:
            return f"{self.supabase_url.rstrip('/')}/auth/v1/.well-known/jwks.json"
        return None


def load_settings(**overrides: Any) -> Settings:
    """Reads the settings.

    Args:
        overrides: By field name; they win over the environment.

    Raises:
        SettingsInvalid: A value does not fit; says which, where it came from by name, and what fits.
    """
    try:
        # By alias only: by field name, HOME and PORT of the environment would be taken for Stead's.
        settings = Settings(**{f"STEAD_{name.upper()}": value for name, value in overrides.items()})
        if settings.jwt_secret is not None:
            from stead.identity import shared_secret  # noqa: PLC0415

            shared_secret.shared_key(settings.jwt_secret.get_secret_value())
    except ValidationError as error:
        lines = [f"{_setting_name(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False)]
        raise SettingsInvalid("; ".join(lines), hint="See .env.example for what fits.") from None
    except SteadError as error:
        raise SettingsInvalid(f"STEAD_JWT_SECRET: {error.detail}") from None
    return settings


def _setting_name(location: tuple[int | str, ...]) -> str:
    name = str(location[0]) if location else "settings"
    if name.startswith("STEAD_"):
        return name
    return name if name in os.environ else f"STEAD_{name.upper()}" if location else name
