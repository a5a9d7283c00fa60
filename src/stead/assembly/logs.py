"""Structured logs: lines for people at a terminal, JSON for machines."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from stead.assembly.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Sets up structlog, and sends the standard library's records the same way."""
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=[])],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    # Their messages quote requests, or say what the access log says.
    quiet = (
        "uvicorn.access",
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "mcp",
        "composio_client",
        "openai",
        "openai.agents",
        "anthropic",
        "any_llm",
        "urllib3",
    )
    for name in quiet:
        logging.getLogger(name).setLevel(logging.ERROR)
    # Their errors quote what a server sent.
    for name in ("mcp.client", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
