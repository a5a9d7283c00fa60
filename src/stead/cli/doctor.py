"""``stead doctor``: what is there, what is missing, in words."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Literal

import typer

from stead.assembly import Settings, load_settings
from stead.assembly.database import DatabaseAccess, check_login
from stead.cli import output
from stead.cli.access import database, run
from stead.core.errors import SteadError
from stead.db.migrator import admin_connection, read_status

Verdict = Literal["ok", "note", "problem"]
_STYLES: dict[Verdict, str] = {"ok": "green", "note": "yellow", "problem": "bold red"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    says: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Checks configuration, database, extensions and model. Exits with 1 when something is wrong."""
    findings = run(_examine())
    if as_json:
        output.print_json([finding.__dict__ for finding in findings])
    else:
        for finding in findings:
            output.out.print(
                f"[{_STYLES[finding.verdict]}]{finding.verdict:8}[/]{finding.what}: ", end=""
            )
            output.say(finding.says)
    if any(finding.verdict == "problem" for finding in findings):
        raise typer.Exit(1)


async def _examine() -> list[Finding]:
    try:
        settings = load_settings()
    except SteadError as error:
        return [_problem("settings", error)]
    findings = [_ok("stead", version("stead")), _ok("settings", f"{settings.env}, home {settings.home}")]
    findings += _identity(settings)
    findings += _models(settings)
    findings.append(_port(settings))
    findings.append(await _delivery(settings))
    findings.append(await _traces(settings))
    try:
        async with database(settings) as access:
            findings += await _database(settings, access)
    except SteadError as error:
        findings.append(_problem("database", error))
    return findings


def _identity(settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    if settings.jwt_secret is None:
        found.append(
            _note("tokens", "STEAD_JWT_SECRET is not set: a secret of this home folder is used")
        )
    else:
        found.append(_ok("tokens", "STEAD_JWT_SECRET is set"))
    if settings.effective_jwks_url:
        found.append(_ok("supabase", f"keys from {settings.effective_jwks_url}"))
    if settings.clerk_issuer:
        found.append(_ok("clerk", settings.clerk_issuer))
    if settings.service_secret is None:
        found.append(_note("signed calls", "refused: STEAD_SERVICE_SECRET is not set"))
    return found


def _models(settings: Settings) -> list[Finding]:
    from stead.assembly.wiring import embedder_config, model_config  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415
    from stead.providers.models import check_model  # noqa: PLC0415

    found: list[Finding] = []
    try:
        check_model(settings.model, model_config(settings))
        if settings.model == "offline":
            found.append(
                _note(
                    "model",
                    "offline: answers are made by rule. Set STEAD_MODEL=openai/<model> and OPENAI_API_KEY, or "
                    "STEAD_MODEL=anthropic/<model> and ANTHROPIC_API_KEY",
                )
            )
        else:
            found.append(_ok("model", settings.model))
    except SteadError as error:
        found.append(_problem("model", error))
    try:
        embedder = build_embedder(settings.embedder, embedder_config(settings))
        found.append(_ok("embedder", f"{embedder.model_id}, {embedder.dimensions} dimensions"))
    except SteadError as error:
        found.append(_problem("embedder", error))
    return found


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = settings.port and probe.connect_ex((settings.host, settings.port)) == 0
    where = f"{settings.host}:{settings.port}"
    return (
        _note("port", f"{where} is in use (by Stead, if it runs)")
        if taken
        else _ok("port", f"{where} is free")
    )


async def _delivery(settings: Settings) -> Finding:
    from stead.assembly.wiring import broker_config  # noqa: PLC0415
    from stead.jobs.broker import CeleryDelivery, queue_name  # noqa: PLC0415

    try:
        config = broker_config(settings)
        if config is None:
            return _ok("jobs", "delivered by PostgreSQL")
        delivery = CeleryDelivery(config)
        try:
            waiting = (await delivery.waiting(["default"]))["default"]
        finally:
            await delivery.aclose()
    except SteadError as error:
        return _problem("jobs", error)
    return _ok("jobs", f"Celery, {config.address} answers: {waiting} wait in {queue_name('default')}")


async def _traces(settings: Settings) -> Finding:
    from stead.assembly.traces import traces_config  # noqa: PLC0415
    from stead.traces import check_extra, probe  # noqa: PLC0415

    try:
        config = traces_config(settings)
        if config is None:
            keys = "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
            return _note("traces", f"not sent: set {keys}, or STEAD_OTLP_ENDPOINT")
        check_extra()
        says = await probe(config)
    except SteadError as error:
        return _problem("traces", error)
    return _ok("traces", f"{says}; {'with' if config.content else 'without'} what was said")


async def _database(settings: Settings, access: DatabaseAccess) -> list[Finding]:
    found: list[Finding] = []
    kind = "embedded" if access.server else "STEAD_DATABASE_URL"
    async with admin_connection(access.admin_url or access.runtime_url) as connection:
        number = await connection.fetchval("show server_version")
        found.append(_ok("database", f"PostgreSQL {number} ({kind})"))
        vector = await connection.fetchval(
            "select extversion from pg_extension where extname = 'vector'"
        )
        found.append(
            _ok("pgvector", vector)
            if vector
            else _note("pgvector", "not installed: vectors are kept as arrays and searched exactly")
        )
        status = await read_status(connection)
    if status.drifted:
        names = ", ".join(m.file_name for m in status.drifted)
        found.append(Finding(what="migrations", verdict="problem", says=f"drifted: {names}"))
    elif status.pending:
        count = len(status.pending)
        says = f"{count} pending: run `stead db migrate` (or `stead up`)"
        found.append(Finding(what="migrations", verdict="problem", says=says))
    else:
        found.append(_ok("migrations", f"{len(status.applied)} applied"))
        try:
            await check_login(access)
            found.append(_ok("login", "row-level security holds for it"))
        except SteadError as error:
            found.append(_problem("login", error))
    del settings
    return found


def _ok(what: str, says: str) -> Finding:
    return Finding(what=what, verdict="ok", says=says)


def _note(what: str, says: str) -> Finding:
    return Finding(what=what, verdict="note", says=says)


def _problem(what: str, error: SteadError) -> Finding:
    return Finding(
        what=what,
        verdict="problem",
        says="; ".join(filter(None, (error.detail.rstrip("."), error.hint))),
    )
