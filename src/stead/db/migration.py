"""A migration as a file, and what can be read off it without a database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

_FILE_NAME: Final = re.compile(r"^([0-9]+)_(.*)\.sql$")
_CREATES: Final = re.compile(
    r"^\s*create\s+(?:or\s+replace\s+)?(table|view|type|function|sequence)\s+"
    r"(?:if\s+not\s+exists\s+)?((?:public|stead)\.[a-z_0-9]+)",
    re.MULTILINE,
)
_INSIGNIFICANT: Final = re.compile(r"--[^\n]*|[\s;]+")


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file.

    Args:
        version: The digits before the first underscore; the key of Supabase's ledger.
        name: What follows, without ``.sql``.
        sql: The text of the file.
    """

    version: str
    name: str
    sql: str

    @property
    def file_name(self) -> str:
        """The name of the file, as `supabase db push` expects it."""
        return f"{self.version}_{self.name}.sql"

    def created_names(self) -> Iterator[tuple[str, str]]:
        """Kind and qualified name of everything that the file creates at its top level."""
        yield from _CREATES.findall(self.sql)

    def matches(self, statements: Sequence[str] | None) -> bool:
        """Whether the ledger's statements are this file's.

        Stead records a file as one statement and Supabase's CLI splits it, so white space, semicolons and
        comments do not count.
        """
        return not statements or essence(self.sql) == essence("\n".join(statements))


def essence(sql: str) -> str:
    """SQL without comments, white space and semicolons."""
    return _INSIGNIFICANT.sub("", sql)


@cache
def all_migrations() -> tuple[Migration, ...]:
    """Every migration that this version of Stead ships, oldest first."""
    files = ((f, _FILE_NAME.match(f.name)) for f in resources.files("stead.db.migrations").iterdir())
    found = (
        Migration(version=name[1], name=name[2], sql=file.read_text(encoding="utf-8"))
        for file, name in files
        if name is not None
    )
    return tuple(sorted(found, key=lambda migration: migration.version))


def not_among(applied: Collection[str], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """Those of the migrations whose version a database's ledger does not hold, in their order."""
    return tuple(migration for migration in migrations if migration.version not in applied)


def bootstrap_sql() -> str:
    """What a PostgreSQL that is not Supabase needs before the first migration."""
    return (resources.files("stead.db") / "bootstrap.sql").read_text(encoding="utf-8")
