"""The feed of changes: one reader for a process, and what each subscriber is told of it.

What always holds: a subscriber is told each change that is committed after he came, once, those of a table in
the order in which the reader met them; of a row only if the database itself lets him select it, and only the
columns that it lets.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import Counter, Gauge

from stead.core.errors import SteadError
from stead.db import CONNECTION_LOST, NOBODY, Database, Row
from stead.identity import Principal
from stead.realtime import queries
from stead.realtime.errors import FilterInvalid, SubscriptionInvalid, TooManySubscriptions
from stead.realtime.filters import Pattern, compile_filter
from stead.realtime.hub import Hub
from stead.realtime.interest import RENEW_S, Interest, Lease
from stead.realtime.models import Change, FeedRow, Op, Shape, Sink, Subscription, Wanted, encode_change
from stead.realtime.snapshots import Position, Snapshot
from stead.realtime.visibility import Visibility

_log = structlog.stdlib.get_logger(__name__)

TOPIC: Final = "changes"
_LOOK_S: Final = 1.0
_REACH_S: Final = 5.0
_PAGE: Final = 32
_KEYS_AT_ONCE: Final = 2000
_BREATH: Final = 500
#: Of one identity in one process: far more than any client needs, far less than a process can hold.
MOST_SUBSCRIPTIONS: Final = 1000
_RETRY_S: Final = 30.0

SUBSCRIPTIONS: Final = Gauge("stead_realtime_subscriptions", "Subscriptions to changes of tables.")
DELIVERED: Final = Counter("stead_realtime_changes_total", "Changes handed to subscribers.")


@dataclass(slots=True)
class _Group:
    """Subscribers whom the database treats alike: one tenant, role and person."""

    principal: Principal
    members: dict[Wanted, set[Subscription]] = field(default_factory=dict[Wanted, set[Subscription]])


@dataclass(slots=True)
class _Candidate:
    """A row that somebody of a group would be told, if he may see it."""

    row: FeedRow
    n: int
    listeners: list[tuple[Wanted, list[Subscription]]]
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    seen: Snapshot
    upto: Snapshot


class Feed:
    """Reads the feed and tells subscribers.

    Args:
        db: Where it is.
        hub: Says when to look.
        most: Subscriptions of one identity.
    """

    def __init__(self, db: Database, hub: Hub, *, most: int = MOST_SUBSCRIPTIONS) -> None:
        self._db = db
        self._hub = hub
        self.interest = Interest(db)
        self.visibility = Visibility(db)
        self._groups: dict[tuple[UUID, str], dict[str, _Group]] = {}
        self._most = most
        self._count = 0
        self._counts: dict[tuple[UUID, str], int] = {}
        self._wanted = asyncio.Event()
        self._seen: Snapshot | None = None
        self._told: Snapshot | None = None
        self._number = self._told_number = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def subscriptions(self) -> int:
        """How many there are."""
        return self._count

    @property
    def position(self) -> Position:
        """Where whoever subscribes at this moment stands."""
        assert self._seen is not None  # noqa: S101 - whoever asks has subscribed
        return Position(self._seen)

    def told(self, subscription: Subscription) -> Position | None:
        """Where a subscriber stands who has taken all that his sink was given; None: no further than he began."""
        if self._told is None or self._told_number < subscription.batch:
            return None
        return Position(self._told)

    def start(self) -> None:
        """Begins to read, in the background, as soon as somebody subscribes."""
        self._tasks = [
            asyncio.create_task(self._read(), name="feed"),
            asyncio.create_task(self._renew(), name="leases"),
        ]

    async def stop(self) -> None:
        """Ends reading."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def subscribe(self, principal: Principal, wanted: Wanted, sink: Sink) -> Subscription:
        """Tells the sink of changes from now on. End it with `unsubscribe`.

        Raises:
            TableNotPublished: There is no such table for this principal.
            FilterInvalid: The filter does not fit the columns that the principal may select.
            TooManySubscriptions: The principal follows enough.
        """
        subscription, lease = await self._prepare(principal, wanted, sink)
        try:
            await self._meet(lease)
            self._register(principal, subscription, lease)
        except BaseException:
            self.interest.drop((principal.tenant.id, wanted.table))
            raise
        return subscription

    async def resume(
        self, principal: Principal, wanted: Wanted, sink: Sink, position: Position
    ) -> tuple[Subscription, list[Change] | None]:
        """As `subscribe`, with what came after a position; None where the feed no longer has all of it.

        Raises:
            TableNotPublished, FilterInvalid, TooManySubscriptions: As `subscribe`.
        """
        key = (principal.tenant.id, wanted.table)
        subscription, lease = await self._prepare(principal, wanted, sink)
        try:
            lease = await self.interest.fresh(key)
            known = lease.holds(position) and await self._reaches(position)
            await self._meet(lease)
            self._register(principal, subscription, lease)
        except BaseException:
            self.interest.drop(key)
            raise
        try:
            return subscription, await self._between(
                principal, subscription, position
            ) if known else None
        except BaseException:
            self.unsubscribe(subscription)
            raise

    def unsubscribe(self, subscription: Subscription) -> None:
        """Tells the sink nothing any more."""
        key = (subscription.tenant_id, subscription.wanted.table)
        groups = self._groups.get(key, {})
        group = groups.get(subscription.group)
        members = group.members.get(subscription.wanted) if group else None
        if group is None or members is None or subscription not in members:
            return
        members.discard(subscription)
        if not members:
            del group.members[subscription.wanted]
        if not group.members:
            del groups[subscription.group]
        if not groups:
            del self._groups[key]
        who = (subscription.tenant_id, subscription.who)
        self._counts[who] -= 1
        if not self._counts[who]:
            del self._counts[who]
        self._count -= 1
        SUBSCRIPTIONS.dec()
        self.interest.drop(key)
        if not self._count:
            self._wanted.clear()

    async def _prepare(
        self, principal: Principal, wanted: Wanted, sink: Sink
    ) -> tuple[Subscription, Lease]:
        self._check_count(principal)
        shape = await self.visibility.shape(principal, wanted.table)
        conditions = compile_filter(wanted.filter, shape.types)
        if conditions.patterns:
            await self._matches([("", pattern) for pattern in conditions.patterns], check=True)
        if wanted.select is not None and (unknown := set(wanted.select) - shape.types.keys()):
            raise SubscriptionInvalid(f"select: there is no column {min(unknown)}")
        lease = await self.interest.take((principal.tenant.id, wanted.table))
        group = f"{principal.role} {principal.claims_json}"
        return Subscription(principal.tenant.id, principal.key, group, wanted, conditions, sink), lease

    def _check_count(self, principal: Principal) -> None:
        if self._counts.get((principal.tenant.id, principal.key), 0) >= self._most:
            raise TooManySubscriptions(
                f"{self._most} subscriptions are open here already",
                hint="Close some of them, or set STEAD_MAX_SUBSCRIPTIONS.",
                retry_after_s=_RETRY_S,
            )

    def _register(
        self,
        principal: Principal,
        subscription: Subscription,
        lease: Lease,
    ) -> None:
        # Others may have come while this one was prepared.
        self._check_count(principal)
        if not self._count:
            # Nobody listened: what was written until now is nobody's.
            self._seen = self._told = lease.seen
        # Not the batch that is being told at this moment: `position` is at its end.
        subscription.batch = self._number
        groups = self._groups.setdefault((subscription.tenant_id, subscription.wanted.table), {})
        group = groups.setdefault(subscription.group, _Group(principal))
        group.members.setdefault(subscription.wanted, set()).add(subscription)
        who = (subscription.tenant_id, subscription.who)
        self._counts[who] = self._counts.get(who, 0) + 1
        self._count += 1
        SUBSCRIPTIONS.inc()
        self._wanted.set()

    async def _meet(self, lease: Lease) -> None:
        """Waits until the reader has met a lease: from a place before it nobody could go on."""
        if self._seen is not None and not self._seen.sees(lease.since):
            await self._reaches(Position(lease.seen))

    async def _reaches(self, position: Position) -> bool:
        """Waits until the reader has met all that is known at a position: another process may have been ahead."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _REACH_S
        while self._count and self._seen is not None and not self._seen.includes(position.end):
            if loop.time() > deadline:
                return False
            self._hub.wake(TOPIC)
            await asyncio.sleep(0.01)
        return True

    async def _between(
        self, principal: Principal, subscription: Subscription, position: Position
    ) -> list[Change]:
        """What the reader has met and the subscriber not."""
        end = self.position.seen
        found: list[Change] = []
        batch = _Batch(self._number, position.seen, end)
        after = 0
        while True:
            async with self._db.transaction(NOBODY, read_only=True) as tx:
                rows = await queries.read_changes(
                    tx, position.seen.text, end.text, after, _PAGE, subscription.tenant_id,
                    subscription.wanted.table,
                )  # fmt: skip
            page = _page(rows)
            candidates = [
                _Candidate(row, n, [(subscription.wanted, [subscription])])
                for row in page
                for n, values in enumerate(row.rows)
                if not position.covers(row.xid, row.id, n) and _fits(subscription, row.op, values)
            ]
            await self._decide_patterns(candidates)
            await self._decide_visibility(principal, subscription.wanted.table, candidates)
            found += [
                _change(candidate, candidate.shape, subscription.wanted.select, batch)
                for candidate in candidates
                if candidate.shape is not None and _tellable(subscription, candidate.shape)
            ]
            if len(page) < _PAGE:
                return found
            after = page[-1].id

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            broken = await self.interest.renew()
            for tenant_id, table in broken:
                _log.warning("lease_broken", tenant_id=str(tenant_id), table=table)
            self.lose(broken)

    def lose(self, keys: Iterable[tuple[UUID, str]]) -> None:
        """Tells subscribers that they may have missed changes."""
        for key in keys:
            for group in tuple(self._groups.get(key, {}).values()):
                for members in tuple(group.members.values()):
                    for subscription in tuple(members):
                        subscription.sink.lost()

    async def _read(self) -> None:
        with self._hub.subscribe(TOPIC) as changes:
            while True:
                await self._wanted.wait()
                try:
                    await self._read_batch()
                except Exception as error:  # noqa: BLE001 - the loop's outermost edge: all subscribers hang on it
                    _log.error("feed_broken", reason=type(error).__name__)
                    self.lose(tuple(self._groups))
                await changes.wait(_LOOK_S)

    async def _read_batch(self) -> None:
        seen = self._seen
        assert seen is not None  # noqa: S101 - set with the first subscriber
        upto: Snapshot | None = None
        after = 0
        while True:
            rows = await self._rows(seen, upto, after)
            if upto is None:
                upto = Snapshot.parse(rows[0]["snapshot"])
                self._number += 1
                self._seen = upto
            page = _page(rows)
            if page:
                await self._tell(page, _Batch(self._number, seen, upto))
            if len(page) < _PAGE:
                break
            after = page[-1].id
        self._told, self._told_number = upto, self._number

    async def _rows(self, seen: Snapshot, upto: Snapshot | None, after: int) -> list[Row]:
        while True:
            try:
                async with self._db.transaction(NOBODY, read_only=True) as tx:
                    return await queries.read_changes(
                        tx, seen.text, upto.text if upto else None, after, _PAGE
                    )
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                # Nothing is skipped: the same is asked again.
                _log.warning("feed_read_failed", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_S)

    async def _tell(self, page: list[FeedRow], batch: _Batch) -> None:
        asked: dict[tuple[UUID, str, str], tuple[Principal, list[_Candidate]]] = {}
        looked = 0
        for row in page:
            for name, group in list(self._groups.get((row.tenant_id, row.table), {}).items()):
                for n, values in enumerate(row.rows):
                    looked += len(group.members)
                    if looked > _BREATH:
                        looked = 0
                        await asyncio.sleep(0)
                    listeners = _listeners(group, row, values, batch)
                    if listeners:
                        key = (row.tenant_id, row.table, name)
                        asked.setdefault(key, (group.principal, []))[1].append(
                            _Candidate(row, n, listeners)
                        )
        made: dict[tuple[int, int, Shape, tuple[str, ...] | None], Change] = {}

        async def judge(principal: Principal, table: str, candidates: list[_Candidate]) -> None:
            await self._decide_patterns(candidates)
            await self._decide_visibility(principal, table, candidates)
            # Nobody waits for the judgement on others; for each the order stays.
            await self._hand_out(candidates, batch, made)

        async with asyncio.TaskGroup() as tasks:
            for (_, table, _), (principal, candidates) in asked.items():
                tasks.create_task(judge(principal, table, candidates))

    async def _hand_out(
        self,
        candidates: list[_Candidate],
        batch: _Batch,
        made: dict[tuple[int, int, Shape, tuple[str, ...] | None], Change],
    ) -> None:
        told = 0
        for candidate in candidates:
            shape = candidate.shape
            if shape is None:
                continue
            for wanted, subscriptions in candidate.listeners:
                key = (candidate.row.id, candidate.n, shape, wanted.select)
                change = made.get(key)
                if change is None:
                    change = made[key] = _change(candidate, shape, wanted.select, batch)
                for subscription in subscriptions:
                    if _tellable(subscription, shape):
                        subscription.sink.take(change)
                        told += 1
            if told > _BREATH:
                DELIVERED.inc(told)
                told = 0
                await asyncio.sleep(0)
        DELIVERED.inc(told)

    async def _decide_patterns(self, candidates: list[_Candidate]) -> None:
        """Leaves out those whose POSIX patterns do not match."""
        wanted = [c for c in candidates if any(s[0].conditions.patterns for _, s in c.listeners)]
        texts: dict[tuple[str, Pattern], bool] = {}
        for candidate in wanted:
            values = candidate.row.rows[candidate.n]
            for _, subscriptions in candidate.listeners:
                for pattern in subscriptions[0].conditions.patterns:
                    if isinstance(text := values.get(pattern.column), str):
                        texts[text, pattern] = False
        answers = await self._answers(list(texts)) if texts else {}
        for candidate in wanted:
            values = candidate.row.rows[candidate.n]
            kept: list[tuple[Wanted, list[Subscription]]] = []
            for listener in candidate.listeners:
                patterns = listener[1][0].conditions.patterns
                if answers is None and patterns:
                    # Nobody knows whether it matched.
                    for subscription in listener[1]:
                        subscription.sink.lost()
                elif all((answers or {}).get((values.get(p.column), p), False) for p in patterns):
                    kept.append(listener)
            candidate.listeners = kept

    async def _answers(self, texts: list[tuple[str, Pattern]]) -> dict[tuple[Any, Pattern], bool] | None:
        while True:
            try:
                return dict(zip(texts, await self._matches(texts), strict=True))
            except asyncpg.QueryCanceledError:
                _log.warning("pattern_too_slow", patterns=len(texts))
                return None
            except (SteadError, asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning("feed_read_failed", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_S)

    async def _matches(self, pairs: list[tuple[str, Pattern]], *, check: bool = False) -> list[bool]:
        async with self._db.transaction(NOBODY, read_only=True) as tx:
            await tx.execute("set local statement_timeout = '2s'")
            answers = await queries.texts_match(
                tx, [text for text, _ in pairs], [p.pattern for _, p in pairs]
            )
        if check and None in answers:
            raise FilterInvalid("filter: that is no regular expression")
        return [
            answer is not None and answer is not pattern.negated
            for answer, (_, pattern) in zip(answers, pairs, strict=True)
        ]

    async def _decide_visibility(
        self, principal: Principal, table: str, candidates: list[_Candidate]
    ) -> None:
        """Says of each candidate what may be told of it; nothing of what may not be seen."""
        wanted = [c for c in candidates if c.listeners]
        by_op: dict[Op, list[_Candidate]] = {}
        for candidate in wanted:
            by_op.setdefault(candidate.row.op, []).append(candidate)
        for op, all_of_op in by_op.items():
            for start in range(0, len(all_of_op), _KEYS_AT_ONCE):
                some = all_of_op[start : start + _KEYS_AT_ONCE]
                shape, places = await self._visible(principal, table, op, some)
                for place in places:
                    some[place].shape = shape

    async def _visible(
        self, principal: Principal, table: str, op: Op, candidates: Sequence[_Candidate]
    ) -> tuple[Shape | None, set[int]]:
        rows = [candidate.row.rows[candidate.n] for candidate in candidates]
        while True:
            try:
                given = rows
                if op != "DELETE":
                    keys = (await self.visibility.shape(principal, table)).keys
                    given = [{key: row.get(key) for key in keys} for row in rows]
                return await self.visibility.visible(principal, table, op, given)
            except SteadError as error:
                if error.status < 500:
                    return None, set()
                _log.warning("feed_read_failed", reason=type(error).__name__)
            except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
                _log.warning("feed_read_failed", reason=type(error).__name__)
            await asyncio.sleep(_LOOK_S)


def _page(rows: list[Row]) -> list[FeedRow]:
    return [
        FeedRow(
            id=row["id"],
            xid=int(row["xid"]),
            tenant_id=row["tenant_id"],
            table=row["table_name"],
            op=row["op"],
            rows=row["rows"],
            created_at=row["created_at"],
        )
        for row in rows
        if row["id"] is not None
    ]


def _fits(subscription: Subscription, op: Op, values: dict[str, Any]) -> bool:
    return subscription.wanted.event in {"*", op} and subscription.conditions.holds(values)


def _listeners(
    group: _Group, row: FeedRow, values: dict[str, Any], batch: _Batch
) -> list[tuple[Wanted, list[Subscription]]]:
    found: list[tuple[Wanted, list[Subscription]]] = []
    for wanted, members in group.members.items():
        one = next(iter(members))
        if not _fits(one, row.op, values):
            continue
        there = [s for s in members if s.batch < batch.number]
        if there:
            found.append((wanted, there))
    return found


def _tellable(subscription: Subscription, shape: Shape) -> bool:
    # A filter on a column that may not be selected (any more) would tell of it.
    return subscription.conditions.columns <= shape.types.keys()


def _change(
    candidate: _Candidate, shape: Shape, select: tuple[str, ...] | None, batch: _Batch
) -> Change:
    row, n = candidate.row, candidate.n
    return Change(
        row.op,
        encode_change(row, row.rows[n], shape, select),
        Position(batch.seen, batch.upto, row.id, n),
    )
