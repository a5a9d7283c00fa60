"""``stead chat``: talk to an agent from a terminal, or from a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import typer

from stead.assembly import load_settings
from stead.cli import output
from stead.cli.access import run
from stead.cli.errors import ServerRefused, ServerUnreachable
from stead.cli.tenants import development_token


def chat(
    message: Annotated[str | None, typer.Argument(help="Say this and leave.")] = None,
    agent: Annotated[str, typer.Option(help="Who answers.")] = "concierge",
    tenant: Annotated[str, typer.Option(help="The tenant's slug.")] = "demo",
    profile: Annotated[str, typer.Option(help="Who you are (development).")] = "you@example.com",
    url: Annotated[str | None, typer.Option(help="Address of the server.")] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="STEAD_TOKEN", help="A bearer token instead of a development one."),
    ] = None,
    session: Annotated[str | None, typer.Option(help="Go on with this session.")] = None,
) -> None:
    """Chats with an agent of a running server. Each start is a new session: what it knows is memory.

    Example: stead chat "I live in Lisbon." && stead chat "Where do I live?"
    """
    settings = load_settings()
    # A server that listens everywhere is reached here.
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    address = url or f"http://{host}:{settings.port}"
    bearer = token or run(development_token(tenant, profile, "authenticated", 24 * 3600))
    with httpx.Client(
        base_url=address,
        headers={"authorization": f"Bearer {bearer}"},
        timeout=httpx.Timeout(10, read=None),
    ) as client:
        try:
            _converse(client, message, agent, tenant, session)
        except httpx.ConnectError as error:
            raise ServerUnreachable(
                f"nothing answers at {address}", hint="Start it in another terminal: stead up"
            ) from error
        except httpx.TransportError as error:
            raise ServerUnreachable(
                f"the connection to {address} was lost", hint="Is it still up?"
            ) from error


def _converse(
    client: httpx.Client, message: str | None, agent: str, tenant: str, session: str | None
) -> None:
    if session is None:
        answer = client.post("/api/session", json={"orgId": tenant})
        _check(answer)
        session = str(answer.json()["sessionId"])
    said = iter([message]) if message is not None else _lines(agent, session)
    for line in said:
        if line.strip():
            _say(client, session, agent, line)


def _lines(agent: str, session: str) -> Iterator[str]:
    if not sys.stdin.isatty():
        yield from (line.rstrip("\n") for line in sys.stdin)
        return
    output.say(f"talking to {agent} in session {session}; leave with Ctrl-D or /quit", "dim")
    while True:
        try:
            line = output.out.input("[bold cyan]you[/] ")
        except (EOFError, KeyboardInterrupt):
            output.say("")
            return
        if line.strip() in {"/quit", "/exit"}:
            return
        yield line


def _say(client: httpx.Client, session: str, agent: str, line: str) -> None:
    body = {"sessionId": session, "agentId": agent, "message": line}
    person = sys.stdout.isatty()
    if person:
        output.out.print(f"[bold green]{agent}[/] ", end="")
    with client.stream("POST", "/api/chat", json=body) as answer:
        if answer.status_code != 200:
            answer.read()
            _check(answer)
        try:
            _print_stream(answer)
        except KeyboardInterrupt:
            client.post(f"/api/chat/{session}/stop")
            output.say("\n(stopped)", "dim")


def _print_stream(answer: httpx.Response) -> None:
    ended_line = True
    for line in answer.iter_lines():
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        frame: dict[str, Any] = json.loads(line.removeprefix("data: "))
        kind = frame.get("type")
        if kind == "text-delta":
            sys.stdout.write(frame["delta"])
            sys.stdout.flush()
            ended_line = frame["delta"].endswith("\n")
        elif kind == "tool-input-available":
            output.err.print(f"(using {frame['toolName']})", style="dim")
        elif kind == "tool-approval-request":
            output.err.print(f"(waits for approval {frame['approvalId']})", style="dim")
        elif kind == "error":
            if not ended_line:
                sys.stdout.write("\n")
            raise ServerRefused(frame["errorText"])
    if not ended_line:
        sys.stdout.write("\n")


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    raise ServerRefused(
        problem.get("detail", answer.reason_phrase),
        hint=problem.get("hint", ""),
        code=problem.get("code", str(answer.status_code)),
    )
