"""Files of a project: a small virtual file system with versions."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from stead.apps.forge import projects, queries
from stead.apps.forge.errors import FileChanged, FileUnknown, ProjectFull, ProjectUnknown
from stead.apps.forge.models import FileSummary, FileVersion, ProjectFile
from stead.apps.forge.paths import check_path
from stead.core.ids import new_id
from stead.db import Row, Transaction
from stead.identity import Principal

MAX_FILES: Final = 500
MAX_CONTENT_CHARS: Final = 1_000_000
MAX_PROJECT_CHARS: Final = 20_000_000
#: By the end of the name, for whoever does not say.
LANGUAGES: Final = {
    "ts": "typescript", "tsx": "typescript", "js": "javascript", "jsx": "javascript", "mjs": "javascript",
    "py": "python", "css": "css", "scss": "scss", "html": "html", "json": "json", "md": "markdown",
    "sql": "sql", "yml": "yaml", "yaml": "yaml", "sh": "shell", "toml": "toml", "txt": "text",
}  # fmt: skip


def language_of(path: str) -> str | None:
    """The language of a file by its name."""
    return LANGUAGES.get(path.rpartition(".")[2].lower()) if "." in path else None


async def listing(
    tx: Transaction, principal: Principal, project_id: UUID, *, after: str = "", limit: int = 100
) -> tuple[list[FileSummary], str | None]:
    """Files by path, without contents, and the path after which the next ones come.

    Raises:
        ProjectUnknown: It is not there for this caller.
    """
    await projects.get(tx, principal, project_id)
    rows = await queries.list_files(tx, principal.tenant.id, project_id, after, limit + 1)
    found = [FileSummary(**dict(row)) for row in rows[:limit]]
    return found, found[-1].path if len(rows) > limit else None


async def contents(
    tx: Transaction, principal: Principal, project_id: UUID, *, after: str = "", limit: int = MAX_FILES
) -> list[ProjectFile]:
    """Files with their contents, by path."""
    rows = await queries.files_after(tx, principal.tenant.id, project_id, after, limit)
    return [ProjectFile(**dict(row)) for row in rows]


async def get(
    tx: Transaction, principal: Principal, project_id: UUID, path: str, *, version: int | None = None
) -> ProjectFile:
    """A file, or what it was.

    Args:
        tx: A transaction.
        principal: The caller.
        project_id: Whose file.
        path: Which.
        version: Of which version; None: the present one.

    Raises:
        ProjectUnknown, FileUnknown: It is not there for this caller.
        FilePathInvalid: There can be no such file.
    """
    row = await _row(tx, principal, project_id, path)
    if version is None or version == row["version"]:
        return ProjectFile(**dict(row))
    before = await queries.file_version(tx, principal.tenant.id, row["id"], version)
    if before is None:
        raise FileUnknown("the file has no such version", hint="The latest hundred are kept.")
    fields = dict(before)
    fields["updated_at"] = fields.pop("replaced_at")
    return ProjectFile(id=row["id"], project_id=project_id, path=path, **fields)


async def versions(
    tx: Transaction, principal: Principal, project_id: UUID, path: str
) -> list[FileVersion]:
    """The versions of a file, newest first.

    Raises:
        ProjectUnknown, FileUnknown: It is not there for this caller.
        FilePathInvalid: There can be no such file.
    """
    file = ProjectFile(**dict(await _row(tx, principal, project_id, path)))
    rows = await queries.file_versions(tx, principal.tenant.id, file.id)
    latest = FileVersion(
        version=file.version,
        language=file.language,
        size=len(file.content or ""),
        created_at=file.updated_at,
        replaced_at=None,
    )
    return [latest, *(FileVersion(**dict(row)) for row in rows)]


async def put(
    tx: Transaction,
    principal: Principal,
    project_id: UUID,
    path: str,
    content: str,
    *,
    language: str | None = None,
    if_version: int | None = None,
) -> ProjectFile:
    """Writes a file. Another content is another version; the same content changes nothing.

    Args:
        tx: A transaction as the server.
        principal: The caller.
        project_id: Whose file.
        path: Which; made if it is not there.
        content: All of it.
        language: None: as it was, else by the file's name.
        if_version: The version that is to be replaced; 0: there is to be none yet.

    Raises:
        ProjectUnknown: It is not there for this caller.
        FilePathInvalid: There can be no such file.
        FileChanged: The file has another version than ``if_version``.
        ProjectFull: The project holds no more.
    """
    check_path(path)
    # Held until the end: a file is counted, compared and written by one at a time.
    if await queries.lock_project(tx, principal.tenant.id, project_id) is None:
        raise ProjectUnknown("no project with this id is yours")
    before = await queries.file_by_path(tx, principal.tenant.id, project_id, path)
    there = 0 if before is None else before["version"]
    if if_version is not None and if_version != there:
        raise FileChanged(f"the file's version is {there}", hint="Read it again.", version=there)
    held = await queries.count_files(tx, principal.tenant.id, project_id)
    assert held is not None  # noqa: S101 - an aggregate has a row
    size = held["size"] + len(content) - len((before and before["content"]) or "")
    if (before is None and held["files"] >= MAX_FILES) or size > MAX_PROJECT_CHARS:
        raise ProjectFull(
            f"a project has at most {MAX_FILES} files and {MAX_PROJECT_CHARS} characters in them"
        )
    if before is None:
        language = language or language_of(path)
    row = await queries.upsert_file(
        tx, new_id(), principal.tenant.id, project_id, path, content, language
    )
    assert row is not None  # noqa: S101 - INSERT … ON CONFLICT DO UPDATE returns it
    return ProjectFile(**dict(row))


async def delete(tx: Transaction, principal: Principal, project_id: UUID, path: str) -> None:
    """Deletes a file with its versions.

    Raises:
        ProjectUnknown, FileUnknown: It is not there for this caller.
        FilePathInvalid: There can be no such file.
    """
    await _row(tx, principal, project_id, path)
    await queries.delete_file(tx, principal.tenant.id, project_id, path)


async def _row(tx: Transaction, principal: Principal, project_id: UUID, path: str) -> Row:
    check_path(path)
    await projects.get(tx, principal, project_id)
    row = await queries.file_by_path(tx, principal.tenant.id, project_id, path)
    if row is None:
        raise FileUnknown("the project has no file of this path")
    return row
