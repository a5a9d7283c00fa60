"""What the HTTP edge needs to be told."""

from __future__ import annotations

from dataclasses import dataclass, field

from stead.apps.marketplace import FitWeights


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """Limits and addresses.

    Args:
        version: Of Stead, for ``/api/status`` and the OpenAPI document.
        env: ``development`` or ``production``.
        model: The model of agents that name none.
        embedder: The embedder's name.
        rate_limit: For each identity, and for each address that proved none ("120/minute").
        session_rate_limit: For each session.
        address_rate_limit: For each address, of all who are no services.
        open_rate_limit: Anonymous sessions opened from one address.
        chat_rate_limit: Messages to agents, of each identity and in each session.
        address_chat_rate_limit: Messages to agents from one address.
        service_rate_limit: For each service; None: as for each identity.
        service_chat_rate_limit: Messages of each service; None: as of each identity.
        unknown_id_rate_limit: Ids that are none of the caller's.
        trusted_proxies: Addresses whose ``X-Forwarded-For`` is believed.
        max_artifact_bytes: Of a file that is stored.
        session_ttl_s: How long an anonymous session's token is good.
        secure_cookies: Whether cookies are for HTTPS only.
        github_api_url: Where projects are exported to.
        fit_weights: What counts when agents are compared.
        mcp_hosts: Host names under which ``/mcp`` answers; None: any.
    """

    version: str
    env: str = "development"
    model: str = "offline"
    embedder: str = "static"
    rate_limit: str = "120/minute"
    session_rate_limit: str = "120/minute"
    address_rate_limit: str = "1200/minute"
    open_rate_limit: str = "60/minute"
    chat_rate_limit: str = "30/minute"
    address_chat_rate_limit: str = "300/minute"
    service_rate_limit: str | None = None
    service_chat_rate_limit: str | None = None
    unknown_id_rate_limit: str = "60/minute"
    redis_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = 1_048_576
    max_artifact_bytes: int = 104_857_600
    metrics_token: str | None = None
    session_ttl_s: int = 30 * 24 * 3600
    secure_cookies: bool = False
    github_api_url: str = "https://api.github.com"
    fit_weights: FitWeights = field(default_factory=FitWeights)
    mcp_hosts: tuple[str, ...] | None = None
