"""``stead memory forget``: a memory, a session or a person, gone for good."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stead.cli import output
from stead.cli.access import as_service, read_id, run
from stead.cli.memory import AsJson, TenantSlug, find_person
from stead.core.errors import Invalid


def forget(
    memory: Annotated[
        str | None, typer.Option(help="A memory's id: with the messages that it was said in.")
    ] = None,
    session: Annotated[str | None, typer.Option(help="A session's id: with all that was said.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="A person's email address or id: with all there is.")
    ] = None,
    tenant: TenantSlug = "demo",
    keep_sources: Annotated[
        bool, typer.Option("--keep-sources", help="Of a memory: leave the messages as they are.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Don't ask. Needed where nobody can be asked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Erases a memory, a session or a person out of every table. There is no way back.

    Example: stead memory forget --profile ann@example.com
    """
    given = {"memory": memory, "session": session, "profile": profile}
    named = [(kind, text) for kind, text in given.items() if text is not None]
    if len(named) != 1:
        raise Invalid("what is to be forgotten?", hint="Give one of --memory, --session and --profile.")
    kind, text = named[0]
    if keep_sources and kind != "memory":
        raise Invalid("--keep-sources is said of a memory", hint="Leave it out, or give --memory ID.")
    if not yes:
        _ask(kind, text, tenant)
    erased = run(_forget(tenant, kind, text, sources=not keep_sources))
    if as_json or not sys.stdout.isatty():
        output.print_json({"erased": erased})
    else:
        counts = [f"{count} {name.replace('_', ' ')}" for name, count in erased.items() if count]
        output.say(f"forgotten: {', '.join(counts) or 'nothing was left'}")


def _ask(kind: str, text: str, tenant: str) -> None:
    if not sys.stdin.isatty():
        raise Invalid("nobody is here to confirm", hint="Add --yes.")
    typer.confirm(f"Forget the {kind} {text} of {tenant} for good?", abort=True, err=True)


async def _forget(slug: str, kind: str, text: str, *, sources: bool) -> dict[str, int]:
    from stead.memory import forgetting  # noqa: PLC0415

    async with as_service(slug) as opened:
        if kind == "memory":
            async with opened.db.transaction(opened.principal) as tx:
                done = await forgetting.forget_memory(
                    tx, opened.principal, read_id(text), sources=sources
                )
        elif kind == "session":
            done = await forgetting.forget_all(opened.db, opened.principal, "session", read_id(text))
        else:
            async with opened.db.transaction(opened.principal, read_only=True) as tx:
                person = await find_person(tx, opened.principal, text)
            done = await forgetting.forget_all(opened.db, opened.principal, "profile", person)
    return done.erased
