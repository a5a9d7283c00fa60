"""Files: what is in the bucket has a row, what has no row goes; in a folder and over S3."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio

from stead import audit
from stead.assembly.database import DatabaseAccess
from stead.core.errors import Invalid
from stead.db import Database
from stead.evidence import (
    ArtifactConfig,
    ArtifactInvalid,
    ArtifactStore,
    ArtifactStoreUnavailable,
    ArtifactTooLarge,
    ArtifactUnknown,
    EvidenceUnknown,
    LinkInvalid,
    NewArtifact,
    NewEvidence,
    artifacts,
    links,
    records,
)
from stead.identity import Tenant
from stead.memory import forgetting
from tests.evidence.conftest import SECRET_KEY
from tests.support.people import Person, service

BODY = b"%PDF-1.7 " + b"an invoice\n" * 1_000_000


async def chunks(body: bytes = BODY, size: int = 65_536) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


@pytest_asyncio.fixture
async def owner(access: DatabaseAccess) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(access.admin_url)
    yield connection
    await connection.close()


@pytest.fixture(params=["folder", "s3_bucket"])
def bucket(request: pytest.FixtureRequest) -> ArtifactStore:
    """Each kind of bucket."""
    return request.getfixturevalue(request.param)


async def fetched(db: Database, tenant: Tenant, artifact_id: Any, bucket: ArtifactStore) -> bytes | None:
    """What is in the bucket, through a link."""
    link = await artifacts.link(db, service(tenant), artifact_id, bucket=bucket)
    if bucket.serves:
        query = dict(parse_qsl(urlsplit(link.url).query))
        _, path = await artifacts.open_link(
            db, artifact_id, int(query["expires"]), query["signature"], bucket=bucket
        )
        return path.read_bytes()
    async with httpx.AsyncClient() as client:
        answer = await client.get(link.url)
    return answer.content if answer.status_code == 200 else None


async def there(bucket: ArtifactStore, key: str) -> bool:
    """Whether an object is in the bucket, whatever rows say."""
    if bucket.serves:
        return bucket.path(key) is not None
    async with httpx.AsyncClient() as client:
        return (await client.get(await bucket.presigned(key, 60))).status_code == 200


async def due(owner: asyncpg.Connection, tenant: Tenant) -> None:
    """Makes what waits to be removed wait no longer."""
    await owner.execute(
        "update stead.artifact_removals set due_at = now() where tenant_id = $1", tenant.id
    )


async def test_a_file_is_stored_with_its_digest_and_its_audit_row(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, bucket: ArtifactStore
) -> None:
    new = NewArtifact(name="Rechnung März.pdf", media_type="Application/PDF; q=1", envelope_id=uuid4())
    made = await artifacts.store(db, service(tenant), new, chunks(), bucket=bucket)
    assert (made.bytes, made.sha256) == (len(BODY), hashlib.sha256(BODY).digest())
    assert made.media_type == "application/pdf"
    assert made.key == f"{tenant.id}/{made.id}"
    assert await fetched(db, tenant, made.id, bucket) == BODY
    rows = await owner.fetch(
        "select action, payload from public.audit_log where tenant_id = $1 and category = 'evidence' order by id",
        tenant.id,
    )
    assert [row["action"] for row in rows] == ["artifact_store", "artifact_link"]
    payload = json.loads(rows[0]["payload"])
    assert payload["bucket"] == bucket.bucket
    assert payload["key_sha256"] == hashlib.sha256(made.key.encode()).hexdigest()
    assert payload["sha256"] == made.sha256.hex()
    assert made.key not in rows[0]["payload"]
    async with db.transaction(service(tenant)) as tx:
        assert (await artifacts.listing(tx, service(tenant))) == [made]
        assert await artifacts.listing(tx, service(tenant), envelope_id=uuid4()) == []


async def test_nothing_is_stored_as_well(db: Database, tenant: Tenant, bucket: ArtifactStore) -> None:
    made = await artifacts.store(
        db, service(tenant), NewArtifact(name="empty"), chunks(b""), bucket=bucket
    )
    assert made.bytes == 0
    assert await fetched(db, tenant, made.id, bucket) == b""


async def test_what_is_too_large_or_breaks_off_leaves_nothing(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, bucket: ArtifactStore
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1_000_000

    async def broken() -> AsyncIterator[bytes]:
        yield BODY
        raise ConnectionResetError("the client went away")

    sizes = 0

    async def counted(source: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        nonlocal sizes
        async for chunk in source:
            sizes += len(chunk)
            yield chunk

    with pytest.raises(ArtifactTooLarge):
        await artifacts.store(
            db, service(tenant), NewArtifact(name="a"), counted(endless()), bucket=bucket
        )
    # It stopped reading at once.
    assert sizes <= bucket.config.max_bytes + 1_000_000
    with pytest.raises((ConnectionResetError, ArtifactStoreUnavailable)):
        await artifacts.store(db, service(tenant), NewArtifact(name="b"), broken(), bucket=bucket)
    assert (
        await owner.fetchval(
            "select count(*) from public.evidence_artifacts where tenant_id = $1", tenant.id
        )
        == 0
    )
    rows = await owner.fetch("select key from stead.artifact_removals where tenant_id = $1", tenant.id)
    assert len(rows) == 2
    assert not any([await there(bucket, row["key"]) for row in rows])


async def test_what_a_process_that_died_left_is_swept(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, bucket: ArtifactStore
) -> None:
    """Killed after the object was stored and before its row said so: nobody sees it, and both go."""
    came = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield BODY
        came.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(
        artifacts.store(db, service(tenant), NewArtifact(name="a"), slow(), bucket=bucket)
    )
    await came.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    key = await owner.fetchval(
        "select key from public.evidence_artifacts where tenant_id = $1", tenant.id
    )
    await bucket.put(key, chunks(), name="a", media_type="text/plain")
    async with db.transaction(service(tenant)) as tx:
        assert await artifacts.listing(tx, service(tenant)) == []
    await artifacts.sweep(db, bucket=bucket)
    assert await there(bucket, key), "somebody may still be at it"
    await owner.execute(
        "update public.evidence_artifacts set created_at = now() - interval '61 minutes' where tenant_id = $1",
        tenant.id,
    )
    assert await artifacts.sweep(db, bucket=bucket) >= 1
    assert await there(bucket, key), "its last request may still be on its way"
    await due(owner, tenant)
    assert await artifacts.sweep(db, bucket=bucket) >= 1
    assert not await there(bucket, key)
    assert not await owner.fetchval(
        "select count(*) from stead.artifact_removals where tenant_id = $1", tenant.id
    )


async def test_a_row_that_is_swept_while_its_file_comes_wins(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, bucket: ArtifactStore
) -> None:
    async def overtaken() -> AsyncIterator[bytes]:
        yield BODY
        await owner.execute("delete from public.evidence_artifacts where tenant_id = $1", tenant.id)

    with pytest.raises(ArtifactUnknown):
        await artifacts.store(db, service(tenant), NewArtifact(name="a"), overtaken(), bucket=bucket)
    key = await owner.fetchval("select key from stead.artifact_removals where tenant_id = $1", tenant.id)
    assert not await there(bucket, key)


async def test_many_sweepers_remove_everything_once(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, folder: ArtifactStore
) -> None:
    made = [
        await artifacts.store(
            db, service(tenant), NewArtifact(name=f"{n}", keep_s=3600), chunks(b"x"), bucket=folder
        )
        for n in range(30)
    ]
    await owner.execute(
        "update public.evidence_artifacts set expires_at = now() - interval '1 s' where tenant_id = $1",
        tenant.id,
    )
    with pytest.raises(ArtifactUnknown):
        await artifacts.link(db, service(tenant), made[0].id, bucket=folder)
    for _ in range(3):
        await asyncio.gather(*(artifacts.sweep(db, bucket=folder) for _ in range(6)))
    assert not any([await there(folder, each.key) for each in made])
    assert not await owner.fetchval(
        "select count(*) from stead.artifact_removals where tenant_id = $1", tenant.id
    )


async def test_a_bucket_that_does_not_answer_keeps_nobody_from_removing_later(
    db: Database, tenant: Tenant, owner: asyncpg.Connection, s3_bucket: ArtifactStore
) -> None:
    made = await artifacts.store(db, service(tenant), NewArtifact(name="a"), chunks(), bucket=s3_bucket)
    async with db.transaction(service(tenant)) as tx:
        await artifacts.delete(tx, service(tenant), made.id)
    silent = ArtifactStore(
        ArtifactConfig(
            url=f"s3://{s3_bucket.bucket}", secret=b"", endpoint="http://127.0.0.1:1",
            access_key_id="a", secret_access_key=SECRET_KEY,
        )
    )  # fmt: skip
    await artifacts.sweep(db, bucket=silent)
    with pytest.raises(ArtifactStoreUnavailable) as refused:
        await artifacts.store(db, service(tenant), NewArtifact(name="a"), chunks(), bucket=silent)
    assert SECRET_KEY not in f"{refused.value} {refused.value.hint} {silent.config!r}"
    assert await there(s3_bucket, made.key)
    await due(owner, tenant)
    await artifacts.sweep(db, bucket=s3_bucket)
    assert not await there(s3_bucket, made.key)


async def test_whoever_is_forgotten_takes_their_files_along(
    db: Database, tenant: Tenant, person: Person, owner: asyncpg.Connection, bucket: ArtifactStore
) -> None:
    principal = service(tenant)
    async with db.transaction(principal) as tx:
        theirs = await records.add(
            tx, principal,
            NewEvidence(source_type="proposal", content="Refund Ann.", profile_id=person.id),
        )  # fmt: skip
    news = [
        NewArtifact(name="by her", created_by=person.id),
        NewArtifact(name="of her evidence", evidence_id=theirs.id),
        NewArtifact(name="of somebody else"),
    ]
    made = [await artifacts.store(db, principal, new, chunks(), bucket=bucket) for new in news]
    done = await forgetting.forget_all(db, principal, "profile", person.id)
    assert (done.erased["artifacts"], done.erased["evidence"]) == (1, 1)
    await artifacts.sweep(db, bucket=bucket)
    assert [await there(bucket, each.key) for each in made] == [False, False, True]


async def test_when_a_tenant_goes_its_files_go(
    db: Database, other_tenant: Tenant, owner: asyncpg.Connection, folder: ArtifactStore
) -> None:
    made = await artifacts.store(
        db, service(other_tenant), NewArtifact(name="a"), chunks(b"x"), bucket=folder
    )
    await owner.execute("delete from public.tenants where id = $1", other_tenant.id)
    await artifacts.sweep(db, bucket=folder)
    assert not await there(folder, made.key)


async def test_other_tenants_files_are_unknown(
    db: Database, tenant: Tenant, other_tenant: Tenant, folder: ArtifactStore
) -> None:
    theirs, ours = service(other_tenant), service(tenant)
    made = await artifacts.store(db, theirs, NewArtifact(name="a"), chunks(b"x"), bucket=folder)
    with pytest.raises(ArtifactUnknown):
        await artifacts.link(db, ours, made.id, bucket=folder)
    async with db.transaction(theirs) as tx:
        evidence = await records.add(tx, theirs, NewEvidence(source_type="a", content="b"))
    for new in (
        NewArtifact(name="a", evidence_id=evidence.id),
        NewArtifact(name="a", evidence_id=uuid4()),
    ):
        with pytest.raises(EvidenceUnknown):
            await artifacts.store(db, ours, new, chunks(b"x"), bucket=folder)
    with pytest.raises(ArtifactInvalid):
        await artifacts.store(
            db, ours, NewArtifact(name="a", created_by=uuid4()), chunks(b"x"), bucket=folder
        )
    async with db.transaction(ours) as tx:
        assert await artifacts.listing(tx, ours) == []


@pytest.mark.parametrize(
    "new",
    [
        NewArtifact(name="../../etc/passwd"),
        NewArtifact(name=".."),
        NewArtifact(name="a\\b"),
        NewArtifact(name="a\r\nset-cookie: x"),
        NewArtifact(name="gpj\u202e.exe"),
        NewArtifact(name=""),
        NewArtifact(name="x" * 256),
        NewArtifact(name="a", media_type="text/html\r\nx: y"),
        NewArtifact(name="a", media_type="html"),
        NewArtifact(name="a", media_type=f"a/{'b' * 200}"),
    ],
)
async def test_names_that_are_none_are_refused(
    db: Database, tenant: Tenant, folder: ArtifactStore, new: NewArtifact
) -> None:
    with pytest.raises(ArtifactInvalid):
        await artifacts.store(db, service(tenant), new, chunks(b"x"), bucket=folder)


async def test_a_changed_link_opens_nothing(
    db: Database, tenant: Tenant, other_tenant: Tenant, owner: asyncpg.Connection, folder: ArtifactStore
) -> None:
    made = await artifacts.store(db, service(tenant), NewArtifact(name="a"), chunks(b"x"), bucket=folder)
    other = await artifacts.store(
        db, service(tenant), NewArtifact(name="b"), chunks(b"y"), bucket=folder
    )
    link = await artifacts.link(db, service(tenant), made.id, bucket=folder, expires_in_s=60)
    query = dict(parse_qsl(urlsplit(link.url).query))
    expires, signature = int(query["expires"]), query["signature"]
    opened, path = await artifacts.open_link(db, made.id, expires, signature, bucket=folder)
    assert (opened.id, path.read_bytes()) == (made.id, b"x")
    forged = links.sign(links.key_of("another"), tenant.id, made.id, link.expires_at)
    abroad = links.sign(folder.config.secret, other_tenant.id, made.id, link.expires_at)
    tries = [
        (made.id, expires + 1, signature),
        (other.id, expires, signature),
        (made.id, expires, "A" + signature[1:]),
        (made.id, expires, signature[:-4] + "AAA="),
        (made.id, expires, "é"),
        (made.id, expires, ""),
        (made.id, 2**62, signature),
        (made.id, expires, dict(parse_qsl(urlsplit(forged).query))["signature"]),
    ]
    for artifact_id, until, proof in tries:
        with pytest.raises(LinkInvalid):
            await artifacts.open_link(db, artifact_id, until, proof, bucket=folder)
    proof = dict(parse_qsl(urlsplit(abroad).query))["signature"]
    with pytest.raises(ArtifactUnknown):
        await artifacts.open_link(db, made.id, expires, proof, bucket=folder)
    # By the database's clock, and not longer than the file.
    now = await owner.fetchval("select now()")
    for until in (now - timedelta(seconds=1), now - timedelta(days=400)):
        query = dict(
            parse_qsl(urlsplit(links.sign(folder.config.secret, tenant.id, made.id, until)).query)
        )
        with pytest.raises(LinkInvalid, match="over"):
            await artifacts.open_link(
                db, made.id, int(query["expires"]), query["signature"], bucket=folder
            )
    short = await artifacts.store(
        db, service(tenant), NewArtifact(name="c", keep_s=30), chunks(b"z"), bucket=folder
    )
    link = await artifacts.link(db, service(tenant), short.id, bucket=folder, expires_in_s=86_400)
    assert link.expires_at == short.expires_at


async def test_links_into_s3_are_signed_for_one_key_and_a_time(
    db: Database, tenant: Tenant, s3_bucket: ArtifactStore
) -> None:
    """Checked by the rules of Signature Version 4: the server of these tests believes everybody."""
    made = await artifacts.store(
        db, service(tenant), NewArtifact(name="Ä \"b\".html", media_type="text/html"),
        chunks(b"<script>"), bucket=s3_bucket,
    )  # fmt: skip
    link = await artifacts.link(db, service(tenant), made.id, bucket=s3_bucket, expires_in_s=120)
    parts = urlsplit(link.url)
    query = dict(parse_qsl(parts.query))
    assert parts.path == f"/{s3_bucket.bucket}/{made.key}", "path style"
    assert query["X-Amz-Expires"] == "120"
    given = query.pop("X-Amz-Signature")
    assert given == _signature(parts.netloc, parts.path, query)
    assert SECRET_KEY not in link.url
    signed_at = datetime.strptime(query["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    assert abs((link.expires_at - signed_at).total_seconds() - 120) < 60
    async with httpx.AsyncClient() as client:
        answer = await client.get(link.url)
    # A browser saves it and shows it nowhere.
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''%C3%84%20%22b%22.html" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "text/html"


def _signature(host: str, path: str, query: dict[str, str]) -> str:
    def escaped(text: str) -> str:
        return quote(text, safe="-_.~")

    canonical = "\n".join(
        [
            "GET",
            quote(path, safe="/-_.~"),
            "&".join(f"{escaped(k)}={escaped(v)}" for k, v in sorted(query.items())),
            f"host:{host}\n",
            "host",
            "UNSIGNED-PAYLOAD",
        ]
    )
    _, day, region, name, last = query["X-Amz-Credential"].split("/")
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            query["X-Amz-Date"],
            "/".join((day, region, name, last)),
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{SECRET_KEY}".encode()
    for part in (day, region, name, last):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _begin(path: Path) -> None:
    Path(f"{path}#1").write_bytes(b"half")


def _files(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_file_half_written_by_a_killed_process_goes_with_its_key(
    db: Database, tenant: Tenant, folder: ArtifactStore
) -> None:
    made = await artifacts.store(db, service(tenant), NewArtifact(name="a"), chunks(b"x"), bucket=folder)
    path = folder.path(made.key)
    assert path is not None
    _begin(path)
    async with db.transaction(service(tenant)) as tx:
        await artifacts.delete(tx, service(tenant), made.id)
    await artifacts.sweep(db, bucket=folder)
    assert _files(path.parent) == []


@pytest.mark.parametrize(
    "url", ["file:///", "file://host/x", "s3://", "s3://bucket/prefix", "https://bucket", "x"]
)
def test_urls_of_no_bucket_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        ArtifactStore(ArtifactConfig(url=url, secret=b""))


async def test_the_audit_log_still_verifies(db: Database, tenant: Tenant, folder: ArtifactStore) -> None:
    made = await artifacts.store(db, service(tenant), NewArtifact(name="a"), chunks(b"x"), bucket=folder)
    async with db.transaction(service(tenant)) as tx:
        await artifacts.delete(tx, service(tenant), made.id)
    # Others sign on this database; an unsigned seal would be refused.
    while await audit.seal(db, audit.SigningKey.from_secret("a secret for the seals of this test")):
        pass
