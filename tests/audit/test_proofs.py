"""The tree of a seal: the same here as in the database, and one row of it proven without the others."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random

import pytest

from stead import audit
from stead.audit import Expectations, proofs
from stead.audit.digests import GENESIS, TreeRoot, leaf
from stead.audit.errors import AuditProofInvalid, AuditRowUnproven
from tests.audit.conftest import Log
from tests.support.people import service


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962's definition, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


async def test_the_root_is_the_same_here_and_in_the_database(log: Log) -> None:
    chance = random.Random(20261121)
    for count in [*range(1, 35), 255, 256, 257, 1000]:
        entries = [(chance.randrange(-(2**63), 2**63), chance.randbytes(32)) for _ in range(count)]
        root = TreeRoot()
        for audit_id, digest in entries:
            root.add(audit_id, digest)
        leaves = [leaf(*entry) for entry in entries]
        assert root.value() == naive(leaves), count
        assert root.value() == await log.admin.fetchval("select stead.audit_tree($1)", leaves), count
        in_sql = await log.admin.fetchval(
            r"select sha256('\x00'::bytea || int8send($1) || $2)", *entries[0]
        )
        assert in_sql == leaves[0]
    assert TreeRoot().value() == GENESIS


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 13])
async def test_each_row_can_be_proven_and_no_other(log: Log, rows: int) -> None:
    await log.write(rows)
    await log.seal(log.key)
    known = Expectations(keys=frozenset({log.key.public}))
    for audit_id in await log.ids():
        async with log.db.transaction(service(log.tenant), read_only=True) as tx:
            proof = await proofs.prove(tx, log.tenant, audit_id)
        proof = proofs.read(proofs.write(proof))
        shown = proofs.check(proof, expected=known)
        assert (shown.row["id"], shown.by) == (str(audit_id), "signature")
        assert shown.head == (await log.verify()).head
        assert len(proof.path) <= 4
        remembered = Expectations(heads={shown.head.seal_no: shown.head.digest})
        assert proofs.check(proof, expected=remembered).by == "head"
        anchored = Expectations(anchors={log.tenant.id: {shown.head.seal_no: shown.head.digest}})
        assert proofs.check(proof, expected=anchored).by == "head"
        for refused in (
            Expectations(),
            Expectations(keys=frozenset({bytes(32)})),
            Expectations(heads={shown.head.seal_no: bytes(32)}, keys=known.keys),
        ):
            with pytest.raises(AuditProofInvalid):
                proofs.check(proof, expected=refused)


async def test_each_value_of_a_proof_matters(log: Log) -> None:
    await log.write(5)
    await log.seal(log.key)
    async with log.db.transaction(service(log.tenant), read_only=True) as tx:
        text = proofs.write(await proofs.prove(tx, log.tenant, 3))
    whole = json.loads(text)
    known = Expectations(keys=frozenset({log.key.public}))
    places = [("row", name) for name in whole["row"]] + [("seal", name) for name in whole["seal"]]
    for part, name in places:
        value = whole[part][name]
        other = value + 1 if isinstance(value, int) else ("1" * len(value) if value else "x")
        changed = json.dumps({**whole, part: {**whole[part], name: other}})
        with pytest.raises(AuditProofInvalid):
            proofs.check(proofs.read(changed), expected=known)
    proof = proofs.read(text)
    for n, step in enumerate(proof.path):
        for path in (
            [*proof.path[:n], *proof.path[n + 1 :]],
            [*proof.path[:n], dataclasses.replace(step, left=not step.left), *proof.path[n + 1 :]],
            [*proof.path[:n], dataclasses.replace(step, hash=bytes(32)), *proof.path[n + 1 :]],
        ):
            with pytest.raises(AuditProofInvalid):
                proofs.check(dataclasses.replace(proof, path=path), expected=known)


async def test_what_is_not_as_it_was_sealed_is_not_proven(log: Log) -> None:
    await log.write(3)
    await log.seal(log.key)
    await log.write(1)
    await log.admin.execute("update public.audit_log set action = 'x' where id = 2")
    await log.admin.execute("delete from public.audit_log where id = 3")
    async with log.db.transaction(service(log.tenant), read_only=True) as tx:
        await proofs.prove(tx, log.tenant, 1)
        for audit_id in (2, 3, 4, 99):
            with pytest.raises(AuditRowUnproven):
                await proofs.prove(tx, log.tenant, audit_id)
    async with log.db.transaction(service(log.other), read_only=True) as tx:
        with pytest.raises(AuditRowUnproven):
            await proofs.prove(tx, log.other, 1)


async def test_seals_of_before_there_was_a_tree_verify(log: Log) -> None:
    """A chain whose first seal is of form 1, as a database has it that was made by an earlier version."""
    await log.write(3)
    await log.seal()
    await log.admin.execute(
        """
        update stead.audit_seals s set form = 1,
          root = (select sha256(string_agg(int8send(e.audit_id) || e.digest, '' order by e.position))
            from stead.audit_entries e where e.tenant_id = s.tenant_id and e.seal_no = s.seal_no)
        """
    )
    await log.admin.execute(
        """
        update stead.audit_seals set digest = sha256(convert_to('stead.audit.seal.1,'
          || stead.audit_field(tenant_id::text) || ',' || stead.audit_field(seal_no::text) || ','
          || stead.audit_field(encode(prev_digest, 'hex')) || ',' || stead.audit_field(rows::text) || ','
          || stead.audit_field(encode(root, 'hex')) || ',' || stead.audit_field(complete_to::text) || ','
          || stead.audit_field(stead.audit_micros(sealed_at)), 'UTF8'))
        """
    )
    await log.write(2)
    await log.seal(log.key)
    report = await log.verify_all(keys=frozenset({log.key.public}), unsigned_to=1)
    assert report.faults == ()
    assert (report.seals, report.rows) == (2, 5)
    forms = await log.admin.fetch("select form from stead.audit_seals order by seal_no")
    assert [row["form"] for row in forms] == [1, 2]
    # An export of that version does not name the form.
    old = [line.replace('"form":1,', "") for line in (await log.export()).splitlines(keepends=True)]
    (offline,) = audit.verify_dump(old)
    assert offline.faults == ()
    async with log.db.transaction(service(log.tenant), read_only=True) as tx:
        await proofs.prove(tx, log.tenant, 4)
        with pytest.raises(AuditRowUnproven, match="over a list"):
            await proofs.prove(tx, log.tenant, 1)
    await log.admin.execute("update stead.audit_seals set form = 2 where seal_no = 1")
    assert [fault.kind for fault in (await log.verify_all()).faults] == [
        "seal_altered",
        "entries_altered",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "no proof", "{}", "[]", "null", '{"stead_audit_proof": 2}', '{"stead_audit_proof": 1, "row": null}',
     '{"stead_audit_proof": 1, "row": {}, "path": [], "seal": {}}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_proof_is_said_so(text: str) -> None:
    with pytest.raises(AuditProofInvalid):
        proofs.read(text)
