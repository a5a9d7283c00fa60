"""What the documentation shows works: Python is run, applications are served, commands are parsed.

A fenced block says in its first line what is done with it: ``python run`` is executed; ``python server`` is
executed beside a running server, with STEAD_URL, TOKEN and TENANT set; ``python file=NAME`` is saved, loaded and
served. Every Python block says one of them.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from stead import Stead
from stead.assembly.database import DatabaseAccess
from stead.cli.main import app as cli
from stead.jobs import JobContext
from tests.docs.pages import ROOT, Block, blocks
from tests.support.people import Person, make_person, make_tenant, open_session, service_headers
from tests.support.servers import Running, frames_of, running_server, say, text_of

BLOCKS = list(blocks())
PYTHON = [block for block in BLOCKS if block.language == "python"]
SECRET = "whsec_c2lnbmVkIGNhbGxzIGJldHdlZW4gc2VydmljZXM="


def _of(kind: str) -> list[Any]:
    return [
        pytest.param(b, id=b.name)
        for b in PYTHON
        if b.info.split()[1:] and b.info.split()[1].startswith(kind)
    ]


async def _run(code: str, folder: Path, **environment: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", code, cwd=folder, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def test_each_python_block_says_what_is_done_with_it() -> None:
    kinds = re.compile(r"python (run|server|file=[a-z_]+\.py)")
    assert [block.name for block in PYTHON if not kinds.fullmatch(block.info)] == []


@pytest.mark.parametrize("block", _of("run"))
async def test_run(block: Block, tmp_path: Path) -> None:
    await _run(block.text, tmp_path)


async def _article(job: JobContext, topic: str) -> str:
    return topic


@pytest.mark.parametrize("block", _of("server"))
async def test_beside_a_server(
    block: Block, access: DatabaseAccess, person: Person, tmp_path: Path
) -> None:
    app = Stead()
    app.registry.add_agent("concierge", "You are a concierge.\n{{memories}}")
    app.jobs.add("article", _article)
    async with running_server(access, app, worker=True, service_secret=SECRET) as running:
        await _run(
            block.text,
            tmp_path,
            STEAD_URL=running.base_url,
            TOKEN=person.token,
            SERVICE_TOKEN=service_headers(person.tenant)["authorization"].removeprefix("Bearer "),
            TENANT=person.tenant.slug,
            STEAD_SERVICE_SECRET=SECRET,
        )


@pytest.mark.parametrize("block", [p for p in _of("file=") if "@app.agent" in p.values[0].text])
async def test_application(block: Block, access: DatabaseAccess, person: Person, tmp_path: Path) -> None:
    app = _load(block, tmp_path)
    headers = person.headers
    async with running_server(access, app) as running:
        first = await open_session(running.client, person)
        await say(running.client, headers, first, "My bike is a blue gravel bike.", agentId="helper")
        second = await open_session(running.client, person)
        answer = text_of(
            await say(running.client, headers, second, "What colour is my bike?", agentId="helper")
        )
        assert "blue" in answer
        if "order_status" in app.registry.tool_names():
            command = '/tool order_status {"order_id": "A-17"}'
            frames = await say(running.client, headers, second, command, agentId="helper")
            assert "shipped on Monday" in text_of(frames)


@pytest.mark.parametrize("block", [p for p in _of("file=") if "tools=[refund]" in p.values[0].text])
async def test_guarded_tool_of_an_application(
    block: Block, access: DatabaseAccess, person: Person, tmp_path: Path
) -> None:
    """It asks, as the page says; and is done when the person approves in the conversation."""
    (command,) = re.findall(r"`(/tool refund .*?)`", block.page.read_text(encoding="utf-8"))
    async with running_server(access, _load(block, tmp_path), worker=True) as running:
        session = await open_session(running.client, person)
        frames = await say(running.client, person.headers, session, command, agentId="helper")
        (asked,) = [f for f in frames if f["type"] == "tool-approval-request"]
        part = {
            "type": "tool-refund",
            "toolCallId": asked["toolCallId"],
            "state": "approval-responded",
            "approval": {"id": asked["approvalId"], "approved": True},
        }
        message = {"id": frames[0]["messageId"], "role": "assistant", "parts": [part]}
        body = {"id": session, "messages": [message], "agentId": "helper"}
        async with running.client.stream(
            "POST", "/api/chat", json=body, headers=person.headers
        ) as answer:
            told = await frames_of(answer)
    (output,) = [f["output"] for f in told if f["type"] == "tool-output-available"]
    assert output == {"order": "A-17", "refunded": 25}
    assert "returned" in text_of(told)


@pytest.mark.parametrize("block", [p for p in _of("file=") if "@app.job" in p.values[0].text])
async def test_jobs_of_an_application(block: Block, fresh: DatabaseAccess, tmp_path: Path) -> None:
    """Each kind of job runs to its end, with the input that the page or its schedule has for it."""
    app = _load(block, tmp_path)
    page = block.page.read_text(encoding="utf-8")
    inputs = {
        kind: json.loads(given)
        for kind, given in re.findall(r"stead jobs run (\w+) --input '(.*?)'", page)
        if kind in app.jobs.kinds
    }
    for each in app.schedules.all:
        tick = each.schedule.tick_argument
        inputs[each.schedule.kind] = dict(each.schedule.input) | ({tick: "2026-11-21"} if tick else {})
    assert set(inputs) == set(app.jobs.kinds)
    headers = service_headers(await make_tenant(fresh))
    async with running_server(fresh, app, worker=True) as running:
        for kind, given in inputs.items():
            made = await running.client.post(
                "/v1/jobs", json={"kind": kind, "input": given}, headers=headers
            )
            path = f"/v1/jobs/{made.raise_for_status().json()['job_id']}"
            async with asyncio.timeout(30):
                while True:
                    job = (await running.client.get(f"{path}/details", headers=headers)).json()
                    if job["status"] == "waiting_for_input":
                        answers = [{"question_id": q["id"], "answer": "yes"} for q in job["questions"]]
                        await running.client.post(
                            f"{path}/respond", json={"responses": answers}, headers=headers
                        )
                    elif job["completed_at"] is not None:
                        break
                    await asyncio.sleep(0.02)
            assert job["status"] == "completed", job["error"]


def _load(block: Block, folder: Path) -> Stead:
    path = folder / block.info.partition("file=")[2]
    path.write_text(block.text, encoding="utf-8")
    # Annotations of tools are resolved through the module, so it must be findable.
    name = f"snippet_{path.stem}_{block.line}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    assert isinstance(module.app, Stead)
    return module.app


def _commands() -> Iterator[Any]:
    for block in BLOCKS:
        if block.language not in {"sh", "console"}:
            continue
        # A console block shows output too: what is typed follows a dollar sign.
        text = block.text.replace("\\\n", " ")
        typed = (
            text if block.language == "sh" else "\n".join(re.findall(r"^\$ (.*)$", text, re.MULTILINE))
        )
        for number, line in enumerate(typed.splitlines()):
            inner = re.findall(r"\$\(([^()]*)\)", line)
            outer = re.sub(r"\$\([^()]*\)", "X", line)
            for each in (*inner, *re.split(r"&&|\|", outer)):
                words = shlex.split(each, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words and words[0].rpartition("/")[2] == "stead":
                    yield pytest.param(words[1:], id=f"{block.name}+{number} {' '.join(words)}")


@pytest.mark.parametrize("words", list(_commands()))
def test_command_is_understood(words: list[str]) -> None:
    command: Any = typer.main.get_command(cli)
    if words == ["--version"]:
        return  # parsing it would print and leave
    context = command.make_context("stead", list(words))
    while getattr(context.command, "commands", None):
        rest = [*context._protected_args, *context.args]
        name, command, args = context.command.resolve_command(context, rest)
        context = command.make_context(name, args, parent=context)


async def test_agent_over_http(access: DatabaseAccess, server: Running) -> None:
    """docs/how-to/add-a-tenant-and-keys.md: a key, an agent, a version, an answer."""
    page = (ROOT / "docs/how-to/add-a-tenant-and-keys.md").read_text(encoding="utf-8")
    bodies = dict(re.findall(r"(/v1/\S+) .*?\n\s+-H .*? -d '(.*?)'", page))
    tenant = await make_tenant(access)
    headers = {**service_headers(tenant), "content-type": "application/json"}
    assert list(bodies) == ["/v1/api-keys", "/v1/agents", "/v1/agents/tutor/versions"]
    for path, body in bodies.items():
        answer = await server.client.post(path, content=body, headers=headers)
        assert answer.status_code == 201, answer.text
    person = await make_person(server.parts.db, tenant)
    session = await open_session(server.client, person)
    message = "I want to learn the cello."
    frames = await say(server.client, person.headers, session, message, agentId="tutor")
    assert frames[-1]["type"] == "finish"
