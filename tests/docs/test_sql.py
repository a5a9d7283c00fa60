"""Every table, view, function and role of the schema is in the reference, and the reverse."""

from __future__ import annotations

import re

import asyncpg
import pytest

from stead.assembly.database import DatabaseAccess
from tests.docs.pages import REFERENCE, rows, sections

PAGE = REFERENCE / "sql.md"


def _named(heading: str) -> set[str]:
    """The names in the first column of a section's tables."""
    lines = [
        line.split("|")[1] for line in sections(PAGE)[heading].splitlines() if line.startswith("| `")
    ]
    return {name for line in lines for name in re.findall(r"`([a-z_]+)", line)}


@pytest.mark.parametrize(
    ("heading", "schema", "kind"),
    [
        ("Tables in public", "public", "r"),
        ("Views in public", "public", "v"),
        ("Tables in stead", "stead", "r"),
    ],
)
async def test_relations(access: DatabaseAccess, heading: str, schema: str, kind: str) -> None:
    connection = await asyncpg.connect(access.admin_url)
    try:
        there = await connection.fetch(
            'select relname from pg_class where relnamespace = to_regnamespace($1) and relkind = $2::text::"char"',
            schema,
            kind,
        )
    finally:
        await connection.close()
    assert _named(heading) == {row["relname"] for row in there}


@pytest.mark.parametrize("schema", ["public", "stead"])
async def test_functions(access: DatabaseAccess, schema: str) -> None:
    connection = await asyncpg.connect(access.admin_url)
    try:
        there = await connection.fetch(
            "select proname from pg_proc where pronamespace = to_regnamespace($1)", schema
        )
    finally:
        await connection.close()
    assert _named(f"Functions in {schema}") == {row["proname"] for row in there}


async def test_roles(access: DatabaseAccess) -> None:
    connection = await asyncpg.connect(access.admin_url)
    try:
        there = await connection.fetch(
            "select rolname, rolcanlogin from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres'"
        )
    finally:
        await connection.close()
    documented = {
        cells[0].strip("`"): cells[1] == "yes" for cells in rows(PAGE) if cells[1] in {"yes", "no"}
    }
    assert documented == {row["rolname"]: row["rolcanlogin"] for row in there}
