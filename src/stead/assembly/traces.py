"""Where traces go, by the settings."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from stead.assembly.errors import SettingsInvalid
from stead.assembly.settings import Settings
from stead.traces import TracesConfig, langfuse, open_tracer, read_headers, traces_url

if TYPE_CHECKING:
    from stead.traces.tracer import Tracer


def traces_config(settings: Settings) -> TracesConfig | None:
    """What the tracer is told; None where no receiver is configured.

    A receiver of one's own comes before Langfuse. What was said goes to Langfuse, which is there to show it to
    a project's members. Any other receiver may show its spans to many, and gets it only where that is asked for.

    Raises:
        SettingsInvalid: One of Langfuse's two keys is missing, or the headers are none.
    """
    content = settings.trace_content
    public, secret = settings.langfuse_public_key, settings.langfuse_secret_key
    if settings.otlp_endpoint is not None:
        endpoint, headers = settings.otlp_endpoint, _headers(settings)
    elif public is not None and secret is not None:
        endpoint, headers = langfuse(settings.langfuse_host, public, secret.get_secret_value())
        content = True if content is None else content
    elif public is not None or secret is not None:
        missing = "SECRET" if secret is None else "PUBLIC"
        raise SettingsInvalid(
            f"STEAD_LANGFUSE_{missing}_KEY: is missing", hint="Langfuse needs both keys."
        )
    else:
        return None
    return TracesConfig(
        url=traces_url(endpoint),
        headers=headers,
        content=bool(content),
        ratio=settings.trace_ratio,
        environment=settings.env,
        version=version("stead"),
        secrets=_secrets(settings, headers),
    )


def tracer_of(settings: Settings) -> Tracer | None:
    """What runs are traced with, where that is configured.

    Raises:
        SettingsInvalid: The receiver is half configured.
        TracesNotConfigured: The extra ``otel`` is not installed.
    """
    config = traces_config(settings)
    return None if config is None else open_tracer(config)


def _headers(settings: Settings) -> dict[str, str]:
    given = settings.otlp_headers
    try:
        return read_headers(given.get_secret_value() if given else "")
    except ValueError as error:
        raise SettingsInvalid(
            f"STEAD_OTLP_HEADERS: {error}", hint="See .env.example for what fits."
        ) from None


def _secrets(settings: Settings, headers: dict[str, str]) -> list[str]:
    """All that is secret in the settings: a tool that reads the environment may say it."""
    found = list(headers.values())
    for field in type(settings).model_fields:
        value = getattr(settings, field)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            found.append(secret)
            # Of a URL, what an error of a driver would show.
            if "://" in secret and (password := urlsplit(secret).password):
                found.append(password)
    return found
