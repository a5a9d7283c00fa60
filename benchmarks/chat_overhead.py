"""What Stead adds to a chat with a model: ``python -m benchmarks.chat_overhead``.

A model server that speaks OpenAI's wire format, ``stead serve``, PostgreSQL and this load client are four
processes on one machine. Rounds through Stead and rounds straight to the model server take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from benchmarks import report, streams
from benchmarks.cluster import as_admin, cluster, settle
from benchmarks.processes import Started, cpu_s, free_port, python
from benchmarks.streams import Stream
from stead.assembly import demo
from stead.assembly.database import DatabaseAccess
from stead.db import Database, PoolConfig
from stead.identity.jwt import SteadTokens

SECRET: Final = "benchmark-secret-benchmark-secret-benchmark"  # noqa: S105 - of a server that lives a minute
MODEL: Final = "gpt-4.1-mini"
QUESTIONS: Final = (
    "Good morning. I moved to Leipzig in March and I am looking for a studio near the canal.",
    "What did I tell you about my plans for the summer, and which of them still stand?",
    "My budget is 900 a month. Which neighbourhoods should I look at first, and why those?",
)
Chat = Callable[[int, int], Awaitable[Stream]]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How the model server answers, and how many talk to it."""

    name: str
    streams: int
    turns: int
    first_ms: float
    delay_ms: float
    deltas: int

    @property
    def answer_s(self) -> float:
        """How long one answer takes at this pace."""
        return (self.first_ms + self.delay_ms * (self.deltas - 1)) / 1000


@dataclass(kw_only=True)
class Tally:
    """What the rounds of one side gave."""

    streams: list[Stream] = field(default_factory=list)
    tokens_per_s: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """In words of the JSON result."""
        first = [s.first_ms for s in self.streams]
        delivery = [ms for s in self.streams for ms in s.delivery_ms]
        return {
            "first_token_p50_ms": round(report.percentile(first, 0.5), 1),
            "first_token_p95_ms": round(report.percentile(first, 0.95), 1),
            "delivery_p50_ms": round(report.percentile(delivery, 0.5), 2),
            "delivery_p99_ms": round(report.percentile(delivery, 0.99), 2),
            "tokens_per_s": round(report.percentile(self.tokens_per_s, 0.5), 1),
            "answers": len(self.streams),
            "cpu_s_per_1000_tokens": {
                name: round(spent * 1000 / len(delivery), 4) for name, spent in self.cpu_s.items()
            },
        }


async def one_round(pace: Pace, chat: Chat) -> tuple[list[Stream], float]:
    """All clients at once: each begins at its own moment of one answer's time, then talks turn by turn."""

    async def client(number: int) -> list[Stream]:
        await asyncio.sleep(pace.answer_s * number / pace.streams)
        return [await chat(number, turn) for turn in range(pace.turns)]

    began = time.monotonic()
    done = await asyncio.gather(*(client(number) for number in range(pace.streams)))
    took_s = time.monotonic() - began
    answers = [stream for each in done for stream in each]
    return answers, sum(stream.tokens for stream in answers) / took_s


class Rig:
    """The processes, and how to talk to them."""

    def __init__(self, access: DatabaseAccess, base_url: str, model: Started, stead: Started, port: int):
        self._access = access
        self._direct_url = f"{base_url}/responses"
        self._stead = f"http://127.0.0.1:{port}"
        self._pids = {"model": model.pid, "stead": stead.pid, "postgres": access.server.pid}  # type: ignore[union-attr]
        self._people: list[dict[str, str]] = []
        self._sessions: list[str] = []

    async def make_people(self, count: int) -> None:
        """Signs people in."""
        db = await Database.open(PoolConfig(url=self._access.runtime_url, max_size=2))
        try:
            assert self._access.admin_url is not None
            tenant = await demo.seed(self._access.admin_url, db)
            for number in range(count):
                email = f"p{number}@example.com"
                person = await demo.ensure_profile(db, tenant, email)
                token = SteadTokens(SECRET).issue_development(
                    tenant.id, UUID(person), email, "authenticated", 3600
                )
                self._people.append({"authorization": f"Bearer {token}"})
        finally:
            await db.close()

    async def open_sessions(self) -> None:
        """A new session for everyone."""
        self._sessions = []
        for headers in self._people:
            answer = await streams.post(f"{self._stead}/api/session", {"orgId": "demo"}, headers)
            self._sessions.append(
                json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])["sessionId"]
            )

    async def through_stead(self, number: int, turn: int) -> Stream:
        """One message to the agent."""
        body = {"sessionId": self._sessions[number], "message": QUESTIONS[turn % len(QUESTIONS)]}
        return await streams.stream(f"{self._stead}/api/chat", body, self._people[number])

    async def direct(self, _number: int, turn: int) -> Stream:
        """The same message straight to the model server."""
        body = {
            "model": MODEL,
            "instructions": "You are a concierge: you help with whatever comes up, briefly and kindly.",
            "input": [{"role": "user", "content": QUESTIONS[turn % len(QUESTIONS)]}],
            "stream": True,
            "store": False,
        }
        return await streams.stream(self._direct_url, body, {"authorization": "Bearer sk-local"})

    def spent_s(self) -> dict[str, float]:
        """Processor time of each process so far."""
        return {name: cpu_s(pid, children=name == "postgres") for name, pid in self._pids.items()}

    async def compare(self, pace: Pace, rounds: int) -> dict[str, Any]:
        """Rounds in turns; the first of each side is not counted."""
        sides: dict[str, tuple[Chat, Tally]] = {
            "direct": (self.direct, Tally()),
            "stead": (self.through_stead, Tally()),
        }
        for number in range(rounds + 1):
            for name, (chat, tally) in sides.items():
                if name == "stead":
                    await self.open_sessions()
                before = self.spent_s()
                answers, rate = await one_round(pace, chat)
                after = self.spent_s()
                if number == 0:
                    continue
                tally.streams += answers
                tally.tokens_per_s.append(rate)
                for process, spent in after.items():
                    more = spent - before[process]
                    tally.cpu_s[process] = tally.cpu_s.get(process, 0.0) + more
                report.progress(f"{pace.name}, {name}, round {number}: {rate:.0f} tokens/s")
        direct, stead = (tally.figures() for _, tally in sides.values())
        return {
            "added_first_token_p50_ms": round(
                stead["first_token_p50_ms"] - direct["first_token_p50_ms"], 1
            ),
            "added_delivery_p50_ms": round(stead["delivery_p50_ms"] - direct["delivery_p50_ms"], 2),
            "throughput_ratio": round(stead["tokens_per_s"] / direct["tokens_per_s"], 3),
            "direct": direct,
            "stead": stead,
            "pace": {
                "streams": pace.streams,
                "first_ms": pace.first_ms,
                "delay_ms": pace.delay_ms,
                "deltas": pace.deltas,
                "turns_each": pace.turns,
                "rounds": rounds,
            },
        }


async def run(access: DatabaseAccess, pace: Pace, rounds: int) -> dict[str, Any]:
    """One pace: its own model server and its own ``stead serve``."""
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(
            python(
                "tests.servers.openai",
                "--stamp",
                *("--deltas", str(pace.deltas)),
                *("--delay-ms", str(pace.delay_ms)),
                *("--first-ms", str(pace.first_ms)),
            )
        )
        base_url: str = json.loads(await model.line())["base_url"]
        port = free_port()
        stead = await stack.enter_async_context(
            python("stead", "serve", "--port", str(port), environment=_environment(access, base_url))
        )
        report.progress(f"{pace.name}: stead serve is process {stead.pid}")
        while await streams.get_status(f"http://127.0.0.1:{port}/readyz") != 200:
            assert stead.process.returncode is None, "stead serve ended"
            await asyncio.sleep(0.05)
        rig = Rig(access, base_url, model, stead, port)
        await rig.make_people(pace.streams)
        return await rig.compare(pace, rounds)


def _environment(access: DatabaseAccess, base_url: str) -> dict[str, str]:
    return {
        "STEAD_DATABASE_URL": access.runtime_url,
        "STEAD_ADMIN_DATABASE_URL": access.admin_url or "",
        "STEAD_JWT_SECRET": SECRET,
        "STEAD_MODEL": f"openai/{MODEL}",
        "STEAD_OPENAI_BASE_URL": base_url,
        "STEAD_OPENAI_API_KEY": "sk-local",
        # What OpenAI itself is asked by, and what the direct side asks by.
        "STEAD_OPENAI_API": "responses",
        # Counted as ever, only never reached.
        "STEAD_RATE_LIMIT": "1000000/minute",
        "STEAD_SESSION_RATE_LIMIT": "1000000/minute",
        "STEAD_ADDRESS_RATE_LIMIT": "1000000/minute",
        "STEAD_CHAT_RATE_LIMIT": "1000000/minute",
        "STEAD_ADDRESS_CHAT_RATE_LIMIT": "1000000/minute",
        "STEAD_LOG_FORMAT": "json",
        "STEAD_LOG_LEVEL": "warning",
    }


async def measure(access: DatabaseAccess, given: argparse.Namespace) -> None:
    """Each pace in its turn, then the result."""
    about = report.machine()
    paced = {"first_ms": given.first_ms, "delay_ms": given.delay_ms}
    none = {"first_ms": 0.0, "delay_ms": 0.0}
    paces = (
        Pace(name="alone", streams=1, turns=20, deltas=20, **none),
        Pace(name="paced", streams=given.streams, turns=3, deltas=given.deltas, **paced),
        Pace(name="slow", streams=given.streams, turns=3, deltas=20, first_ms=500.0, delay_ms=20.0),
        Pace(name="unpaced", streams=given.streams, turns=3, deltas=given.deltas, **none),
    )
    figures: dict[str, Any] = {}
    for pace in paces:
        if not given.only or pace.name in given.only:
            figures[pace.name] = await run(access, pace, given.rounds)
    postgres = await settle(access)
    async with as_admin(access) as admin:
        stored = {
            table: await admin.fetchval(f"select count(*) from {table}")  # noqa: S608 - from the tuple below
            for table in ("public.messages", "public.agent_runs", "public.agent_memories")
        }
        failed = await admin.fetchval(
            "select count(*) from public.agent_runs where status <> 'completed'"
        )
    report.finish(
        "chat_overhead",
        postgres,
        {**figures, "stored": stored, "runs_not_completed": failed},
        about=about,
    )


async def main() -> int:
    """Reads the command line."""
    parser = report.arguments(
        "Time to first token and tokens per second through Stead and straight to the model server.",
        "python -m benchmarks.chat_overhead --streams 50 --rounds 3",
    )
    parser.add_argument("--streams", type=int, default=50, help="people who talk at once")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds of each side")
    parser.add_argument("--deltas", type=int, default=100, help="tokens in an answer")
    parser.add_argument(
        "--first-ms", type=float, default=100.0, help="the model's time to its first token"
    )
    parser.add_argument("--delay-ms", type=float, default=20.0, help="between two tokens")
    parser.add_argument("--only", nargs="*", default=[], help="some of: alone paced slow unpaced")
    given = parser.parse_args()
    async with cluster() as access:
        await measure(access, given)
    return 0


if __name__ == "__main__":
    import uvloop

    sys.exit(uvloop.run(main()))
