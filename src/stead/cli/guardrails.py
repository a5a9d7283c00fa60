"""``stead guardrails``: show, set, test, history, replay, suggest. Without a running server."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.markup import escape

from stead.cli import output
from stead.cli.access import as_service, run
from stead.cli.output import visible
from stead.core.errors import Invalid

if TYPE_CHECKING:
    from stead.governance import Judgement, Policy, Replay, StoredPolicy, Suggestion

app = typer.Typer(help="Guardrails: what agents may do.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; a pipe gets it anyhow.")]
PolicyFile = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="A proposed policy (JSON; - is standard input)."),
]
_STYLES: Final = {"deny": "red", "needs_approval": "yellow", "defer": "cyan", "allow": "green"}
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@app.command("show")
def show(
    version: Annotated[
        int | None, typer.Option(help="That version; without it the one that holds.")
    ] = None,
    tenant: Tenant = "demo",
) -> None:
    """Prints the policy as JSON, as `stead guardrails set` takes it.

    Example: stead guardrails show --tenant acme > policy.json
    """
    found = run(_show(tenant, version))
    output.print_json(dict(found.policy))
    output.err.print(f"[dim]version {found.version}[/]")


@app.command("set")
def set_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The policy (JSON; - is standard input).")],
    expect: Annotated[
        int | None,
        typer.Option(metavar="VERSION", help="Only on top of this version; 0: only when there is none."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for those who read the history.")] = None,
    tenant: Tenant = "demo",
) -> None:
    """Makes a policy the one that holds. What the file leaves out is as it is by default.

    Example: stead guardrails set policy.json --tenant acme --expect 3 --reason "nobody is there at night"
    """
    made = run(_set(tenant, _read(file), expect, reason))
    output.say(f"version {made.version} holds for {tenant}")


@app.command("test")
def try_command(
    tool: Annotated[str, typer.Argument(help="The tool's slug.")],
    risk: Annotated[str, typer.Option(help="low, medium, high or critical.")] = "low",
    provider: Annotated[str, typer.Option(help="Who carries it out.")] = "local",
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope that the tool needs; repeatable.")
    ] = None,
    amount: Annotated[str | None, typer.Option(help="What it spends.")] = None,
    evidence: Annotated[int, typer.Option(min=0, help="How many pieces of evidence go with it.")] = 0,
    confidence: Annotated[
        float | None, typer.Option(min=0, max=1, help="What the model says of itself.")
    ] = None,
    trust: Annotated[
        float | None, typer.Option(min=0, max=1, help="Trust in the tool; without it what was learned.")
    ] = None,
    approved: Annotated[bool, typer.Option("--approved", help="As if it were approved.")] = False,
    at: Annotated[str | None, typer.Option(help="As if it were this moment (ISO 8601).")] = None,
    policy: PolicyFile = None,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Says what would be decided about an action, and what every rule says to it. Nothing is kept.

    Exits with 3 when it would not be allowed.

    Example: stead guardrails test mail.send --risk medium --at 2026-12-24T23:00:00Z --tenant acme
    """
    given: dict[str, Any] = {
        "tool": tool,
        "version": "1",
        "provider": provider,
        "risk": _risk(risk),
        "required_scopes": frozenset(scope or ()),
        "amount": _amount(amount),
        "evidence": evidence,
        "confidence": confidence,
        "proposer": "cli",
    }
    made = run(_test(tenant, given, trust, _proposed(policy), _moment(at), approved=approved))
    _print_decision(made, as_json=as_json)
    if made.verdict != "allow":
        raise typer.Exit(3)


@app.command("history")
def history(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many versions at most.")] = 20,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Lists versions of the policy: who made them, when, and why.

    Example: stead guardrails history --tenant acme
    """
    found = run(_history(tenant, limit))
    if as_json or not sys.stdout.isatty():
        for each in found:
            sys.stdout.write(output.line(asdict(each)))
        return
    for each in found:
        when = "" if each.created_at is None else each.created_at.isoformat(timespec="seconds")
        why = visible(each.reason or "")
        output.say(f"{each.version:>4}  {when}  {visible(each.changed_by or '')}  {why}")
    if not found:
        output.say("the policy by default holds", "dim")


@app.command("replay")
def replay(
    policy: Annotated[
        str,
        typer.Option(
            "--policy", metavar="FILE", help="The proposed policy (JSON; - is standard input)."
        ),
    ],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="How far back: 90m, 24h, 7d; or a moment (ISO 8601).")
    ] = "7d",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many decisions at most.")] = 1000,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Says what a proposed policy would have decided otherwise.

    Example: stead guardrails replay --policy policy.json --since 30d --tenant acme
    """
    found = run(_replay(tenant, _proposed(policy), _since(since), limit))
    _print_replay(found, as_json=as_json)


@app.command("suggest")
def suggest(
    about: Annotated[
        str | None, typer.Argument(help="What an action is about; without it: the latest outcomes.")
    ] = None,
    tool: Annotated[str | None, typer.Option(help="Only outcomes of this tool.")] = None,
    tenant: Tenant = "demo",
    as_json: AsJson = False,
) -> None:
    """Suggests a threshold of trust from the outcomes of past actions. It changes nothing.

    Example: stead guardrails suggest "send the invoice to the customer" --tenant acme
    """
    found = run(_suggest(tenant, about, tool))
    if as_json or not sys.stdout.isatty():
        output.print_json(asdict(found))
        return
    output.say(found.explanation)


async def _show(slug: str, version: int | None) -> StoredPolicy:
    from stead.governance import policies  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        if version is None:
            return await policies.get(tx, opened.principal)
        return await policies.version(tx, opened.principal, version)


async def _set(slug: str, document: object, expected: int | None, reason: str | None) -> StoredPolicy:
    from stead.governance import policies  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal) as tx:
        return await policies.put(tx, opened.principal, document, expected=expected, reason=reason)


async def _test(
    slug: str,
    given: Mapping[str, Any],
    trust: float | None,
    proposed: Policy | None,
    at: datetime | None,
    *,
    approved: bool,
) -> Judgement:
    from stead.governance import Action, Facts, try_action  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        return await try_action(
            tx,
            opened.principal,
            Action(tenant_id=opened.principal.tenant.id, **given),
            Facts(trust=trust, tool_known=True, approved=approved),
            proposed=proposed,
            at=at,
        )


async def _history(slug: str, limit: int) -> list[StoredPolicy]:
    from stead.governance import policies  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        return await policies.history(tx, opened.principal, limit=limit)


async def _replay(slug: str, proposed: Policy | None, since: datetime, limit: int) -> Replay:
    from stead import governance  # noqa: PLC0415

    async with as_service(slug) as opened, opened.db.transaction(opened.principal, read_only=True) as tx:
        return await governance.replay(
            tx, opened.principal, proposed or governance.DEFAULT_POLICY, since=since, limit=limit
        )


async def _suggest(slug: str, about: str | None, tool: str | None) -> Suggestion:
    from stead import governance  # noqa: PLC0415
    from stead.assembly.wiring import embedder_config  # noqa: PLC0415
    from stead.providers.embedders import build_embedder  # noqa: PLC0415

    async with as_service(slug) as opened:
        embedder = build_embedder(opened.settings.embedder, embedder_config(opened.settings))
        try:
            vector = None if about is None else (await embedder.embed([about[:4000]]))[0]
            async with opened.db.transaction(opened.principal) as tx:
                return await governance.suggest(
                    tx, opened.principal, embedder=embedder, about=about, vector=vector, tool=tool
                )
        finally:
            await embedder.aclose()


def _read(file: str) -> object:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(
            f"{file} cannot be read: {type(error).__name__}", hint="Give a file of JSON."
        ) from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"{file} is no JSON", hint="`stead guardrails show > policy.json` makes one to begin from."
        ) from error


def _proposed(file: str | None) -> Policy | None:
    from stead.governance import read_policy  # noqa: PLC0415

    return None if file is None else read_policy(_read(file))


def _moment(text: str | None) -> datetime | None:
    from stead.cli.moments import read_moment  # noqa: PLC0415

    return read_moment(text)


def _since(text: str) -> datetime:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text)
    if match is None:
        return _moment(text) or datetime.now(UTC)
    return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})


def _risk(text: str) -> str:
    from stead.governance import RISKS  # noqa: PLC0415

    if text not in RISKS:
        raise Invalid(f"{text!r} is no risk", hint=f"One of {', '.join(RISKS)}.")
    return text


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Invalid(f"{text!r} is no amount", hint="A number, such as 12.50.") from None


def _print_decision(made: Judgement, *, as_json: bool) -> None:
    from stead.governance import plain_reason  # noqa: PLC0415

    if as_json or not sys.stdout.isatty():
        output.print_json(
            {
                "verdict": made.verdict,
                "not_before": made.not_before,
                "quorum": made.quorum,
                "policy_version": made.policy_version,
                "reasons": [plain_reason(each) for each in made.reasons],
            }
        )
        return
    until = "" if made.not_before is None else f", not before {made.not_before.isoformat()}"
    output.say(f"{made.verdict}{until}", _STYLES[made.verdict])
    for each in made.reasons:
        output.out.print(
            f"  [{_STYLES[each.verdict]}]{each.verdict:<15}[/]{each.rule}: {escape(each.says)}"
        )


def _print_replay(found: Replay, *, as_json: bool) -> None:
    if as_json or not sys.stdout.isatty():
        output.print_json(asdict(found))
        return
    output.say(f"{found.replayed} decisions made again{'' if found.complete else ' (there are more)'}")
    for change, count in found.changes.items():
        output.say(f"  {count:>6}  {change.replace('>', ' would be ')}")
    if found.looser:
        output.say(f"{found.looser} would have been looser", "bold yellow")
    for each in found.examples[:20]:
        rules = ", ".join(reason.rule for reason in each.reasons) or "every rule allows"
        output.say(f"  {each.decided_at.isoformat(timespec='seconds')}  {visible(each.tool)}  "
                   f"{each.before} would be {each.after} ({rules})")  # fmt: skip
