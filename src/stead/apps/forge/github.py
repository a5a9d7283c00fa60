"""Pushing files to GitHub: one commit through its Git data API.

Loaded at the first export: the client takes half a second to import. The token goes into the client and
nowhere else; what is raised here holds neither it nor the client's own exceptions, which know the
request.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from githubkit import GitHub
from githubkit.exception import GitHubException, RateLimitExceeded, RequestFailed

from stead.apps.forge.errors import (
    GithubConflict,
    GithubPermissionMissing,
    GithubRateLimited,
    GithubRefused,
    GithubRepositoryInvalid,
    GithubRepositoryTaken,
    GithubTokenRefused,
    GithubUnavailable,
)
from stead.apps.forge.exporting import ExportedFile
from stead.core.errors import SteadError
from stead.db import assert_no_transaction

_CALL_TIMEOUT_S: Final = 30.0
_TOTAL_TIMEOUT_S: Final = 180.0
_TRIES: Final = 3
#: A tree takes the contents of its files along, so many at once: one request instead of one for each file,
#: of which GitHub allows some hundred in a minute.
_BATCH_FILES: Final = 100
_BATCH_CHARS: Final = 2_000_000
_SHA: Final = re.compile(r"[0-9a-f]{40,64}")
_HEADERS: Final = {"X-GitHub-Api-Version": "2022-11-28", "Accept": "application/vnd.github+json"}


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What GitHub has now."""

    repo_url: str
    files_pushed: int
    commit_sha: str


class _Refusal(Exception):
    """GitHub answered with an error: its status, and words that say what about the repository's name."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = words
        super().__init__(str(status))


async def push(
    api_url: str, token: str, repo_name: str, files: Sequence[ExportedFile], message: str
) -> Pushed:
    """Puts files into a repository of the token's owner, as one commit on top of what is there.

    A repository that is not there is made, private. In one that is empty the commit is the first and
    only one. Files that are there under other paths stay. Where nothing changes no commit is made, and
    the present one is told.

    Args:
        api_url: GitHub's API, ``https://api.github.com``.
        token: Whose repository it is; with the right to write to it.
        repo_name: Without the owner.
        files: What is pushed.
        message: Of the commit.

    Raises:
        GithubTokenRefused, GithubPermissionMissing: The token is no good, or not for this.
        GithubRepositoryInvalid, GithubRepositoryTaken: The repository cannot be had.
        GithubConflict: Somebody else pushed at the same time, several times over.
        GithubRateLimited: Too many requests with this token.
        GithubRefused, GithubUnavailable: GitHub does not take it, or does not answer.
    """
    assert_no_transaction("exporting to GitHub")
    client = GitHub(
        token,
        base_url=api_url,
        user_agent="stead",
        timeout=_CALL_TIMEOUT_S,
        auto_retry=False,
        http_cache=False,
    )
    try:
        async with asyncio.timeout(_TOTAL_TIMEOUT_S), client:
            return await _Push(client, files, message).to(repo_name)
    except _Refusal as refusal:
        raise _problem(refusal) from None
    except TimeoutError:
        raise GithubUnavailable("GitHub took too long", hint="Try again.") from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise GithubUnavailable("what answers there does not speak like GitHub") from None


class _Push:
    def __init__(self, client: GitHub[Any], files: Sequence[ExportedFile], message: str) -> None:
        self._client = client
        self._files = files
        self._message = message

    async def to(self, name: str) -> Pushed:
        """Pushes to the repository of that name."""
        login = _text((await self._call("GET", "/user"))["login"])
        repository = await self._repository(login, name)
        where = f"/repos/{_text(repository['full_name'])}"
        branch = _text(repository["default_branch"])
        commit = await self._commit(where, branch)
        return Pushed(
            repo_url=_text(repository["html_url"]), files_pushed=len(self._files), commit_sha=commit
        )

    async def _repository(self, login: str, name: str) -> Mapping[str, Any]:
        found = await self._found(login, name)
        if found is None:
            # Where another export makes it at the same moment, there is one now.
            found = await self._made(name) or await self._found(login, name)
        if found is None:
            raise GithubRepositoryTaken(
                "there is a repository of that name, which the token does not reach",
                hint="Choose another repo_name, or give the token access to it.",
            )
        if found["owner"]["login"].casefold() != login.casefold():
            raise GithubRepositoryTaken("the repository of that name belongs to somebody else")
        if found.get("archived") or found.get("disabled"):
            raise GithubRepositoryTaken(
                "the repository is archived or disabled", hint="Choose another repo_name."
            )
        if found.get("permissions", {}).get("push") is False:
            raise _no_permission()
        return found

    async def _found(self, login: str, name: str) -> Mapping[str, Any] | None:
        try:
            return await self._call("GET", f"/repos/{login}/{name}")
        except _Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def _made(self, name: str) -> Mapping[str, Any] | None:
        """A new repository; None where there is one of that name."""
        try:
            return await self._call("POST", "/user/repos", {"name": name, "private": True})
        except _Refusal as refusal:
            if refusal.status == 422 and "already exists" in refusal.words:
                return None
            if refusal.status == 422:
                raise GithubRepositoryInvalid(
                    "GitHub makes no repository of that name", hint="Choose another repo_name."
                ) from None
            raise

    async def _commit(self, where: str, branch: str) -> str:
        """Makes the commit the branch's latest; returns its hash."""
        for attempt in range(_TRIES):
            try:
                head, empty = await self._head(where, branch)
                if empty:
                    head = await self._begun(where, branch)
                return await self._on_top_of(where, branch, head, alone=empty)
            except _Refusal as refusal:
                # Not a fast forward: somebody pushed since the branch was read.
                if refusal.status not in {409, 422} or attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _head(self, where: str, branch: str) -> tuple[str | None, bool]:
        """The latest commit of the branch, and whether the repository is empty."""
        try:
            found = await self._call("GET", f"{where}/git/ref/heads/{quote(branch)}")
        except _Refusal as refusal:
            if refusal.status in {404, 409}:
                # An empty repository answers 409; one whose default branch nobody has pushed yet 404.
                return None, refusal.status == 409
            raise
        return _hash(found["object"]), False

    async def _begun(self, where: str, branch: str) -> str:
        # The Git data API takes nothing for an empty repository: a first file, written by another API,
        # opens it. The commit that brings it has no place in the history afterwards.
        first = self._files[0]
        made = await self._call(
            "PUT",
            f"{where}/contents/{quote(first.path)}",
            {
                "message": self._message,
                "content": base64.b64encode(first.content.encode()).decode(),
                "branch": branch,
            },
        )
        return _hash(made["commit"])

    async def _on_top_of(self, where: str, branch: str, head: str | None, *, alone: bool) -> str:
        parent = None if alone else head
        base: str | None = None
        if parent is not None:
            base = _hash((await self._call("GET", f"{where}/git/commits/{parent}"))["tree"])
        tree = base
        for batch in _batches(self._files):
            entries = [
                {"path": file.path, "mode": "100644", "type": "blob", "content": file.content}
                for file in batch
            ]
            body = {"tree": entries} if tree is None else {"tree": entries, "base_tree": tree}
            tree = _hash(await self._call("POST", f"{where}/git/trees", body))
        if parent is not None and tree == base:
            return parent
        commit = _hash(
            await self._call(
                "POST",
                f"{where}/git/commits",
                {
                    "message": self._message,
                    "tree": tree,
                    "parents": [] if parent is None else [parent],
                },
            )
        )
        if head is None:
            await self._call("POST", f"{where}/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
            return commit
        force = alone and (await self._head(where, branch))[0] == head
        await self._call(
            "PATCH", f"{where}/git/refs/heads/{quote(branch)}", {"sha": commit, "force": force}
        )
        return commit

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        try:
            answer = await self._client.arequest(  # pyright: ignore[reportUnknownMemberType]
                method, path, json=body, headers=_HEADERS
            )
            found: Any = answer.json()
        except RateLimitExceeded as error:
            wait_s = max(error.retry_after.total_seconds(), 1.0)
            raise GithubRateLimited(
                "GitHub's limit for this token is reached", retry_after_s=wait_s
            ) from None
        except RequestFailed as error:
            raise _Refusal(error.response.status_code, error.response.text[:2000]) from None
        except GitHubException as error:
            raise GithubUnavailable(
                f"GitHub cannot be reached ({type(error).__name__})", hint="Try again in a moment."
            ) from None
        if not isinstance(found, dict):
            raise ValueError("not an object")  # noqa: TRY004 - told as all that is no answer of GitHub's
        return found  # pyright: ignore[reportUnknownVariableType]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a text")
    return value


def _hash(found: Mapping[str, Any]) -> str:
    sha = _text(found["sha"])
    if _SHA.fullmatch(sha) is None:
        raise ValueError("not a hash")
    return sha


def _batches(files: Sequence[ExportedFile]) -> Iterator[list[ExportedFile]]:
    batch: list[ExportedFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == _BATCH_FILES or size + len(file.content) > _BATCH_CHARS):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += len(file.content)
    yield batch


def _problem(refusal: _Refusal) -> SteadError:
    status = refusal.status
    if status == 401:
        return GithubTokenRefused(
            "GitHub answered 401", hint="Make a new token, with the right to write contents."
        )
    if status in {403, 404}:
        return _no_permission()
    if status == 409:
        return GithubConflict("the repository changed meanwhile", hint="Try again.")
    if status == 422 and "fast forward" in refusal.words:
        return GithubConflict("somebody else pushes to the repository", hint="Try again.")
    if status == 429:
        return GithubRateLimited("GitHub's limit for this token is reached", retry_after_s=60.0)
    if status >= 500:
        return GithubUnavailable(f"GitHub answered {status}", hint="Try again in a moment.")
    return GithubRefused(f"GitHub answered {status}", hint="A rule of the repository may forbid it.")


def _no_permission() -> GithubPermissionMissing:
    return GithubPermissionMissing(
        "the token may not make or change this repository",
        hint="It needs the right to write contents, and to make repositories if there is none.",
    )
