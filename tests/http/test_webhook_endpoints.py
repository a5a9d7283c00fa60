"""Webhook endpoints: a receiver of others' that checks signatures, and refuses at first."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.http.acting import Acting, acting
from tests.http.conftest import problem_of
from tests.support.people import make_tenant, service_headers

__all__ = ["acting"]


class Receiver:
    """What came, in its order."""

    def __init__(self, answers: list[int]) -> None:
        self.answers = answers
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.came = asyncio.Event()
        self.url = ""

    async def take(self, request: Request) -> Response:
        """Takes one, and answers with the next status; 204 when there are none left."""
        self.got.append((dict(request.headers), await request.body()))
        self.came.set()
        return Response(status_code=self.answers.pop(0) if self.answers else 204)

    async def until(self, n: int) -> None:
        """Waits until so many came."""
        async with asyncio.timeout(30):
            while len(self.got) < n:
                self.came.clear()
                await self.came.wait()


class _Server(uvicorn.Server):
    @staticmethod
    def install_signal_handlers() -> None:
        """Signals are pytest's business."""


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Receiver]:
    """A real server on a port of its own."""
    receiver = Receiver(list(answers))
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])
    listening = socket.create_server(("127.0.0.1", 0))
    receiver.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
    server = _Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    task = asyncio.create_task(server._serve(sockets=[listening]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await task


async def _add(acting: Acting, url: str, *events: str) -> dict[str, Any]:
    answer = await acting.client.post(
        "/v1/webhook-endpoints",
        json={"url": url, "events": list(events) or ["*"]},
        headers=acting.service,
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_what_is_told_is_signed_and_sent_again_until_it_is_taken(acting: Acting) -> None:
    ann = await acting.person()
    async with receiving(503) as receiver:
        endpoint = await _add(acting, receiver.url, "approval.requested")
        made = await acting.propose("do_high", ann.headers)
        await receiver.until(2)
    first, second = receiver.got
    # Repeats have the same id: that is how a receiver tells them.
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    for headers, body in receiver.got:
        said = Webhook(endpoint["secret"]).verify(body, headers)
        assert said["type"] == "approval.requested"
        assert said["data"]["approval_id"] == made["approval_id"]
        assert b"o1" not in body
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint["secret"]).verify(body + b" ", headers)


async def test_another_secret_signs_from_then_on(acting: Acting) -> None:
    ann = await acting.person()
    async with receiving() as receiver:
        endpoint = await _add(acting, receiver.url)
        rotated = await acting.client.post(
            f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret", headers=acting.service
        )
        assert rotated.json()["secret"] != endpoint["secret"]
        await acting.propose("do_high", ann.headers)
        await receiver.until(1)
    headers, body = receiver.got[0]
    Webhook(rotated.json()["secret"]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(body, headers)


async def test_only_what_was_asked_for_is_told_and_nothing_while_paused(acting: Acting) -> None:
    ann = await acting.person()
    async with receiving() as receiver:
        endpoint = await _add(acting, receiver.url, "approval.cancelled")
        path = f"/v1/webhook-endpoints/{endpoint['id']}"
        paused = await acting.client.patch(path, json={"paused": True}, headers=acting.service)
        assert paused.json()["paused"] is True
        unheard = await acting.propose("do_high", ann.headers)
        await acting.post(f"/v1/outbox/{unheard['envelope']['id']}/cancel", ann)
        await acting.client.patch(path, json={"paused": False}, headers=acting.service)
        heard = await acting.propose("do_high", ann.headers)
        await acting.post(f"/v1/outbox/{heard['envelope']['id']}/cancel", ann)
        await receiver.until(1)
        said = Webhook(endpoint["secret"]).verify(receiver.got[0][1], receiver.got[0][0])
        assert said["data"]["envelope_id"] == heard["envelope"]["id"]


async def test_endpoints_are_the_tenants_and_its_services(acting: Acting) -> None:
    ann = await acting.person()
    url = "https://hooks.example.com/stead"
    endpoint = await _add(acting, url)
    (listed,) = (await acting.client.get("/v1/webhook-endpoints", headers=acting.service)).json()
    assert "secret" not in listed
    abroad = service_headers(await make_tenant(acting.access))
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    assert (await acting.client.get("/v1/webhook-endpoints", headers=abroad)).json() == []
    for answer in (
        await acting.client.patch(path, json={"paused": True}, headers=abroad),
        await acting.client.post(f"{path}/rotate-secret", headers=abroad),
        await acting.client.delete(path, headers=abroad),
    ):
        problem_of(answer, 404, "webhook_endpoint_unknown")
    problem_of(await acting.client.delete(path, headers=ann.headers), 403, "service_only")
    for body in (
        {"url": url},
        {"url": "https://169.254.169.254/latest"},
        {"url": "https://hooks.example.com/2", "events": ["everything"]},
    ):
        refused = await acting.client.post("/v1/webhook-endpoints", json=body, headers=acting.service)
        problem_of(refused, 422, "webhook_endpoint_invalid")
    assert (await acting.client.delete(path, headers=acting.service)).status_code == 204
    assert (await acting.client.get("/v1/webhook-endpoints", headers=acting.service)).json() == []
