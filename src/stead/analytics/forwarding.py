"""Sending on what only a server knows, to PostHog's HTTP API: in batches, from a worker, in nobody's way.

Claim, send, mark: a batch is leased to one process, sent outside of every transaction, and marked as sent. Whoever
dies between sending and marking leaves the lease to run out, and the batch is sent again with the same uuids, by
which PostHog knows repeats. https://posthog.com/docs/api/capture
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal
from uuid import uuid5

import httpx
import structlog

from stead.analytics import metrics, queries
from stead.analytics.models import ClaimedEvent, PostHogConfig
from stead.db import NOBODY, Database, assert_no_transaction

_log = structlog.stdlib.get_logger(__name__)
_FIRST_PAUSE_S: Final = 2.0
_MAX_PAUSE_S: Final = 300.0
#: What PostHog may ask for.
_MAX_ASKED_S: Final = 3600.0
#: Requests of one round: a batch that is refused is halved to find what is wrong with it.
_MAX_REQUESTS: Final = 32
#: They are refused whole, because of the key.
_KEY_REFUSED: Final = frozenset({401, 403})
#: They are refused because of what is in them.
_REFUSED: Final = frozenset({400, 413, 422})

Verdict = Literal["sent", "refused", "again"]


class Forwarder:
    """Sends events on.

    Args:
        db: The database.
        config: Where to.
        http: The client.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        db: Database,
        config: PostHogConfig,
        http: httpx.AsyncClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._config = config
        self._http = http
        self._monotonic = monotonic
        self._failures = 0
        self._rests_until = 0.0
        self._key_refused = False

    async def round(self) -> int:
        """Sends one batch, if something is due; returns how many events are done with."""
        if self._monotonic() < self._rests_until:
            return 0
        async with self._db.transaction(NOBODY) as tx:
            rows = await queries.claim(tx, self._config.batch, self._config.lease_s)
        claimed = [ClaimedEvent(**dict(row)) for row in rows]
        if not claimed:
            return 0
        done = refused = 0
        waiting = [claimed]
        # Well within the lease: then nobody else sends the same meanwhile.
        ends_at = self._monotonic() + self._config.lease_s - 2 * self._config.timeout_s
        for _ in range(_MAX_REQUESTS):
            if not waiting or self._monotonic() > ends_at:
                break
            batch = waiting.pop()
            verdict = await self._send(batch)
            if verdict == "again":
                waiting.append(batch)
                break
            if verdict == "refused" and len(batch) > 1:
                half = len(batch) // 2
                waiting += [batch[half:], batch[:half]]
                continue
            await self._settle(batch, None)
            metrics.forwarded(verdict, len(batch))
            done += len(batch)
            refused += len(batch) if verdict == "refused" else 0
        if refused:
            _log.error("events_refused", events=refused)
        left = [event for batch in waiting for event in batch]
        if left:
            await self._settle(left, max(0.0, self._rests_until - self._monotonic()))
            metrics.forwarded("again", len(left))
        return done

    async def _send(self, batch: Sequence[ClaimedEvent]) -> Verdict:
        assert_no_transaction("PostHog")
        body = {"api_key": self._config.key, "batch": [_event(event) for event in batch]}
        try:
            async with asyncio.timeout(self._config.timeout_s):
                answer = await self._http.post(
                    f"{self._config.url.rstrip('/')}/batch/",
                    content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
                    headers={"content-type": "application/json", "user-agent": "Stead"},
                    timeout=self._config.timeout_s,
                )
        except (httpx.HTTPError, TimeoutError) as error:
            return self._rest(type(error).__name__, None, len(batch))
        status = answer.status_code
        if status < 300:
            self._failures = 0
            self._key_refused = False
            return "sent"
        if status in _KEY_REFUSED:
            return self._hold(status)
        if status in _REFUSED:
            return "refused"
        return self._rest(f"http_{status}", _asked_s(answer.headers), len(batch))

    def _rest(self, reason: str, asked_s: float | None, events: int) -> Verdict:
        self._failures += 1
        own_s = min(_FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), _MAX_PAUSE_S)
        pause_s = max(own_s, min(asked_s or 0.0, _MAX_ASKED_S))
        self._rests_until = self._monotonic() + pause_s
        _log.warning("events_not_forwarded", reason=reason, events=events, again_in_s=round(pause_s))
        return "again"

    def _hold(self, status: int) -> Verdict:
        # Nothing is lost: with the right key they are sent.
        self._rests_until = self._monotonic() + _MAX_PAUSE_S
        if not self._key_refused:
            _log.error("posthog_key_refused", status=status)
        self._key_refused = True
        return "again"

    async def _settle(self, batch: Sequence[ClaimedEvent], again_s: float | None) -> None:
        async with self._db.transaction(NOBODY) as tx:
            await queries.settle(
                tx,
                [event.tenant_id for event in batch],
                [event.id for event in batch],
                batch[0].leased_until,
                again_s,
            )


def _event(event: ClaimedEvent) -> dict[str, Any]:
    # Ids are given by senders: those of two tenants must not be one here.
    unique = uuid5(event.tenant_id, str(event.id))
    properties = {
        **event.properties,
        "tenantId": str(event.tenant_id),
        "$lib": "stead",
        # The address that PostHog sees is this server's.
        "$geoip_disable": True,
    }
    if event.session_id is not None:
        properties["sessionId"] = str(event.session_id)
    if event.profile_id is None:
        properties["$process_person_profile"] = False
    return {
        "uuid": str(unique),
        "event": event.name,
        "distinct_id": str(event.profile_id or event.session_id or unique),
        "timestamp": event.occurred_at.astimezone(UTC).isoformat(),
        "properties": properties,
    }


def _asked_s(headers: httpx.Headers) -> float | None:
    """Seconds of a ``Retry-After``: a number or a date."""
    value = headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
