"""An organisation's files, applied to a tenant."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from stead import agents
from stead.agents import AgentVersion, GenerationTaken
from stead.apps import mentor
from stead.apps.mentor import Applied, Organisation
from stead.apps.mentor.errors import OrganisationInvalid
from stead.db import Database
from stead.identity import Tenant
from tests.support.people import service

SLUGS = ["rafael-chat", "rafael-diagnosis", "rafael-summary"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what comes with Stead, to be changed."""
    return Path(shutil.copytree(mentor.shipped()["rafael-tatts"], tmp_path / "mine"))


async def apply(db: Database, tenant: Tenant, found: Organisation, **how: Any) -> list[Applied]:
    async with db.transaction(service(tenant)) as tx:
        return await mentor.apply(tx, service(tenant), found.agents, **how)


async def versions(db: Database, tenant: Tenant, slug: str) -> list[AgentVersion]:
    async with db.transaction(service(tenant)) as tx:
        return await agents.versions(tx, service(tenant), slug)


async def test_applied_again_it_changes_nothing(db: Database, tenant: Tenant, folder: Path) -> None:
    found = mentor.read_organisation(folder)
    first = await apply(db, tenant, found)
    assert [(a.slug, a.version, a.changed) for a in first] == [(slug, 1, True) for slug in SLUGS]
    async with db.transaction(service(tenant)) as tx:
        before = await tx.rows("select xmin::text, * from public.agents where tenant_id = $1", tenant.id)
    second = await apply(db, tenant, found)
    assert [(a.slug, a.version, a.changed) for a in second] == [(slug, 1, False) for slug in SLUGS]
    async with db.transaction(service(tenant)) as tx:
        after = await tx.rows("select xmin::text, * from public.agents where tenant_id = $1", tenant.id)
    assert sorted(map(tuple, before)) == sorted(map(tuple, after))


async def test_what_a_file_says_differently_is_a_version_of_that_agent(
    db: Database, tenant: Tenant, folder: Path
) -> None:
    await apply(db, tenant, mentor.read_organisation(folder))
    chat = folder / "chat.toml"
    chat.write_text(chat.read_text().replace("max_tokens = 1024", "max_tokens = 512"))
    again = await apply(db, tenant, mentor.read_organisation(folder))
    assert [(a.version, a.changed) for a in again] == [(2, True), (1, False), (1, False)]
    latest, first = await versions(db, tenant, "rafael-chat")
    assert (latest.max_tokens, first.max_tokens) == (512, 1024)


async def test_an_agent_is_listed_differently_without_a_new_version(
    db: Database, tenant: Tenant, folder: Path
) -> None:
    await apply(db, tenant, mentor.read_organisation(folder))
    chat = folder / "chat.toml"
    chat.write_text(chat.read_text().replace('name = "Rafael"', 'name = "Rafa"'))
    again = await apply(db, tenant, mentor.read_organisation(folder))
    assert [(a.version, a.changed) for a in again] == [(1, True), (1, False), (1, False)]
    async with db.transaction(service(tenant)) as tx:
        listed = {a.slug: a.name for a in await agents.listing(tx, service(tenant)) if not a.shared}
    assert listed["rafael-chat"] == "Rafa"


async def test_who_apply_the_same_files_at_once_make_one_version(
    db: Database, tenant: Tenant, folder: Path
) -> None:
    found = mentor.read_organisation(folder)
    for _ in range(2):
        await asyncio.gather(*[apply(db, tenant, found) for _ in range(6)])
        summary = folder / "summary.toml"
        summary.write_text(summary.read_text().replace("temperature = 0.2", "temperature = 0.1"))
        found = mentor.read_organisation(folder)
    assert [v.version for v in await versions(db, tenant, "rafael-chat")] == [1]
    assert [v.temperature for v in await versions(db, tenant, "rafael-summary")] == [0.1, 0.2]


async def test_what_is_there_can_be_left_as_it_is(db: Database, tenant: Tenant, folder: Path) -> None:
    async with db.transaction(service(tenant)) as tx:
        await agents.save_agent(tx, service(tenant), slug="rafael-chat", name="Mine")
        await agents.add_version(tx, service(tenant), "rafael-chat", instructions="Be mine.")
    applied = await apply(db, tenant, mentor.read_organisation(folder), only_missing=True)
    assert [a.changed for a in applied] == [False, True, True]
    (mine,) = await versions(db, tenant, "rafael-chat")
    assert mine.instructions == "Be mine."


async def test_a_type_has_one_agent_in_an_organisation(
    db: Database, tenant: Tenant, other_tenant: Tenant, folder: Path
) -> None:
    async with db.transaction(service(tenant)) as tx:
        await agents.save_agent(tx, service(tenant), slug="doctor", name="Doctor", generates="diagnosis")
    with pytest.raises(GenerationTaken):
        await apply(db, tenant, mentor.read_organisation(folder))
    # All or nothing.
    async with db.transaction(service(tenant)) as tx:
        assert not {a.slug for a in await agents.listing(tx, service(tenant))} & set(SLUGS)
    await apply(db, other_tenant, mentor.read_organisation(folder))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("chat.toml", "slug = rafael", "line 1"),
        ("chat.toml", 'slug = "rafael-chat"\nname = "R"\n', "instructions: Field required"),
        ("chat.toml", 'slug = "R!"\nname = "R"\ninstructions = "x"\n', "slug: "),
        ("chat.toml", 'slug = "r"\nname = "R"\ninstructions = "x"\ntemperature = 3\n', "temperature: "),
        ("chat.toml", 'slug = "r"\nname = "R"\ninstructions = "x"\nprompt = "x"\n', "prompt: Extra"),
        ("organisation.toml", 'slug = "x"\n', "name: Field required"),
        (
            "more.toml",
            'slug = "more"\nname = "More"\ninstructions = "x"\ngenerates = "summary"\n',
            "two agents generate 'summary'",
        ),
        ("more.toml", 'slug = "rafael-chat"\nname = "R"\ninstructions = "x"\n', "two agents are called"),
    ],
)
def test_what_does_not_fit_is_said_with_its_place(folder: Path, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(OrganisationInvalid) as caught:
        mentor.read_organisation(folder)
    assert said in caught.value.detail
    assert str(folder) in caught.value.detail


def test_a_folder_without_an_organisation_is_none(tmp_path: Path) -> None:
    with pytest.raises(OrganisationInvalid) as caught:
        mentor.read_organisation(tmp_path)
    assert "organisation.toml" in caught.value.detail
