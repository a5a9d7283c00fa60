"""Texts beside the log: shown to be the ones while they are there, gone with whom they are about."""

from __future__ import annotations

import asyncpg
import pytest

from stead import audit, sessions
from stead.audit import AuditEntry, SigningKey
from stead.audit.digests import texts_digest
from stead.audit.errors import AuditPayloadInvalid
from stead.identity import Principal, anonymous
from stead.memory import forgetting
from tests.audit.conftest import Log
from tests.support.people import Person, service

REASON = "Ann Smith says that the invoice was never hers"


async def record(log: Log, principal: Principal, **more: object) -> None:
    async with log.db.transaction(principal.served()) as tx:
        await audit.record(
            tx,
            principal,
            category="approval",
            action="rejected",
            payload={"n": 1},
            erasable={"reason": REASON},
            **more,  # pyright: ignore[reportArgumentType]
        )


async def counts(log: Log) -> tuple[int, int, int]:
    """Rows with texts, erased ones, faults: as all ways of verifying tell."""
    report = await log.verify_all()
    return report.with_texts, report.erased, report.fault_count


async def test_texts_stand_beside_the_log(log: Log) -> None:
    await record(log, service(log.tenant))
    row = await log.admin.fetchrow("select payload, (l.*)::text as whole from public.audit_log l")
    kept = await log.admin.fetchrow("select * from stead.audit_texts")
    assert REASON not in row["whole"]
    assert kept["digest"] in row["payload"]
    assert kept["texts"] == f'{{"reason":"{REASON}"}}'
    assert texts_digest(kept["salt"], kept["texts"]) == kept["digest"]
    await log.seal()
    assert await counts(log) == (1, 0, 0)
    async with log.db.transaction(service(log.tenant), read_only=True) as tx:
        (item,) = (await audit.listing(tx, service(log.tenant))).items
    assert item.texts == {"reason": REASON}
    assert item.payload == {"n": 1, "erasable": kept["digest"]}


async def test_the_same_texts_never_have_the_same_digest(log: Log) -> None:
    principal = service(log.tenant)
    entry = AuditEntry(category="a", action="b", erasable={"reason": "yes"})
    async with log.db.transaction(principal) as tx:
        await audit.record_many(tx, principal, [entry, AuditEntry(category="a", action="c"), entry])
    digests = await log.admin.fetch("select digest from stead.audit_texts")
    assert len({row["digest"] for row in digests}) == 2
    await log.seal()
    assert await counts(log) == (2, 0, 0)


@pytest.mark.parametrize("how", ["subject", "author"])
async def test_texts_go_with_the_person(log: Log, ann: Person, how: str) -> None:
    about = {"subject_profile_id": ann.id} if how == "subject" else {}
    await record(log, service(log.tenant) if how == "subject" else ann.principal, **about)
    await log.seal()
    await forgetting.forget_all(log.db, ann.principal, "profile", ann.id)
    assert await log.admin.fetchval("select count(*) from stead.audit_texts") == 0
    assert REASON not in await log.pg_dump()
    assert await counts(log) == (1, 1, 0)
    await log.seal()
    assert (await log.verify_all()).is_sound


async def test_texts_go_with_the_session_of_somebody_unknown(log: Log) -> None:
    visitor = anonymous(log.tenant)
    async with log.db.transaction(visitor.served()) as tx:
        session, _ = await sessions.open_session(tx, visitor)
    principal = anonymous(log.tenant, session.id)
    await record(log, principal)
    await log.seal()
    await forgetting.forget_all(log.db, principal, "session", session.id)
    assert await counts(log) == (1, 1, 0)


async def test_texts_are_erased_by_row(log: Log, ann: Person) -> None:
    mine, others = service(log.tenant), service(log.other)
    await record(log, mine)
    await record(log, others)
    await log.seal()
    (first,) = await log.ids()
    (second,) = await log.ids(log.other)
    async with log.db.transaction(mine) as tx:
        assert await audit.erase(tx, mine, [first, second, 99]) == 1
        assert await audit.erase(tx, mine, [first]) == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with log.db.transaction(ann.principal.served()) as tx:
            await audit.erase(tx, ann.principal, [first])
    await log.seal()
    assert await counts(log) == (1, 1, 0)
    assert (await log.verify_all(log.other)).erased == 0
    told = await log.admin.fetchval("select payload from public.audit_log where action = 'erase_texts'")
    assert told == '{"rows": 1}'


@pytest.mark.parametrize(
    "change", ["texts = replace(texts, 'never', 'always')", "salt = sha256('another')"]
)
async def test_changed_texts_are_found(log: Log, change: str) -> None:
    await log.write(2)
    await record(log, service(log.tenant))
    await log.seal()
    await log.admin.execute(f"update stead.audit_texts set {change}")
    report = await log.verify_all()
    assert [(f.kind, f.seal_no, f.audit_id) for f in report.faults] == [("texts_altered", 1, 3)]
    # Under another digest they are no more there: which is erased, and no fault.
    await log.admin.execute("update stead.audit_texts set digest = repeat('0', 64)")
    assert await counts(log) == (1, 1, 0)


async def test_an_export_holds_texts_only_when_asked(log: Log) -> None:
    await record(log, service(log.tenant))
    await log.seal()
    async with log.db.transaction(service(log.tenant), read_only=True) as tx:
        lines = [line async for line in audit.export(tx, log.tenant)]
    assert REASON not in "".join(lines)
    (offline,) = audit.verify_dump(lines)
    assert (offline.is_sound, offline.with_texts, offline.erased) == (True, 1, 1)


async def test_hostile_texts(log: Log) -> None:
    principal = service(log.tenant)
    texts = {"a": "\ud800 half \x00 nul", "b": '"\\u0000', "c": "é🎻\n\t\\"}
    async with log.db.transaction(principal) as tx:
        await audit.record(tx, principal, category="a", action="b", erasable=texts)
    await log.seal(SigningKey.from_secret("s" * 32))
    assert await counts(log) == (1, 0, 0)
    async with log.db.transaction(principal, read_only=True) as tx:
        (item,) = (await audit.listing(tx, principal)).items
    assert item.texts == {**texts, "a": "? half \x00 nul"}


async def test_what_is_no_erasable_text_is_refused(log: Log) -> None:
    principal = service(log.tenant)
    for refused in ({"payload": {"erasable": "x"}}, {"erasable": {"a b": "x"}},
                    {"erasable": {"a": "x" * 70_000}}):  # fmt: skip
        async with log.db.transaction(principal) as tx:
            with pytest.raises(AuditPayloadInvalid):
                await audit.record(tx, principal, category="a", action="b", **refused)  # pyright: ignore[reportArgumentType]
    assert await log.admin.fetchval("select count(*) from stead.audit_texts") == 0
