"""A server that speaks GitHub's wire format, as far as a push through the Git data API needs it.

It keeps blobs, trees, commits and branches by their hashes, so that what was pushed can be read back;
refuses what GitHub refuses; and can be told to fail: `fail("POST /git/trees", Failure(status=500))`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.script import Reply, Request
from tests.servers.wire import Connection, ModelServer

TOKEN = "ghp_0123456789secret"
DOCS = "https://docs.github.com/rest"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An answer that is an error, or none."""

    status: int = 500
    message: str = "Server Error"
    headers: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, str]] | None = None
    body: Any = None
    """Instead of GitHub's own."""
    resets_in_s: int | None = None
    """From the moment of the answer, as `x-ratelimit-reset` says it."""
    drop: bool = False
    hang: bool = False
    before: Callable[[], None] | None = None
    """What happens at that moment; with `status` 0 the request is then served as ever."""


PRIMARY_LIMIT = Failure(
    status=403,
    message="API rate limit exceeded for user ID 1.",
    headers={"x-ratelimit-remaining": "0"},
    resets_in_s=600,
)
SECONDARY_LIMIT = Failure(
    status=403,
    message="You have exceeded a secondary rate limit.",
    headers={"retry-after": "37"},
)


@dataclass
class Repository:
    """One repository: branches to commits, commits to trees, trees to contents by path."""

    owner: str
    name: str
    default_branch: str = "main"
    private: bool = True
    archived: bool = False
    push: bool = True
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Any]] = field(default_factory=dict)
    trees: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.branches

    def files(self, branch: str | None = None) -> dict[str, str]:
        """Contents by path at the tip of a branch."""
        return self.trees[self.commits[self.branches[branch or self.default_branch]]["tree"]]

    def history(self) -> list[dict[str, Any]]:
        """The commits of the default branch, latest first."""
        found: list[dict[str, Any]] = []
        sha: str | None = self.branches.get(self.default_branch)
        while sha is not None:
            commit = self.commits[sha]
            found.append(commit)
            sha = commit["parents"][0] if commit["parents"] else None
        return found

    def tree(self, files: dict[str, str]) -> str:
        sha = _sha({"tree": files})
        self.trees[sha] = dict(files)
        return sha

    def commit(self, files: dict[str, str], message: str, parents: list[str]) -> str:
        tree = self.tree(files)
        sha = _sha({"tree": tree, "message": message, "parents": parents, "salt": secrets.token_hex(4)})
        self.commits[sha] = {"sha": sha, "message": message, "tree": tree, "parents": parents}
        return sha

    def pushed_by_somebody(self, files: dict[str, str] | None = None) -> None:
        """Somebody else's commit on the default branch."""
        tip = self.branches.get(self.default_branch)
        before = self.files() if tip else {}
        parents = [tip] if tip else []
        self.branches[self.default_branch] = self.commit(
            {**before, **(files or {"x": "y"})}, "other", parents
        )


def _sha(value: Any) -> str:
    return hashlib.sha1(json.dumps(value, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


class GithubServer(ModelServer):
    """Speaks GitHub's wire format for one account, whose token is `token`."""

    request_id_header = "x-github-request-id"

    def __init__(self, *, login: str = "ann", token: str = TOKEN) -> None:
        super().__init__()
        self.login = login
        self.token = token
        self.repositories: dict[str, Repository] = {}
        self.hidden: set[str] = set()
        """Names that are taken, by repositories that the token does not reach."""
        self._failures: dict[str, deque[Failure]] = {}

    def fail(self, operation: str, *failures: Failure) -> None:
        """What the next requests to an operation, such as `POST /git/trees`, are answered."""
        self._failures.setdefault(operation, deque()).extend(failures)

    def add(self, name: str, **how: Any) -> Repository:
        """A repository that is there already."""
        made = Repository(owner=how.pop("owner", self.login), name=name, **how)
        self.repositories[name.casefold()] = made
        return made

    @property
    def operations(self) -> list[str]:
        """Method and what follows the repository, of each request."""
        return [_operation(request) for request in self.requests]

    def refusal(self, _request: Request) -> Reply | None:
        return None

    def error_body(self, reply: Reply, _request_id: str) -> dict[str, Any]:
        raise NotImplementedError

    async def answer(
        self, request: Request, _reply: Reply, out: Connection, headers: dict[str, str]
    ) -> None:
        failure = self._next_failure(_operation(request))
        if failure is not None and failure.before is not None:
            failure.before()
        if failure is not None and failure.drop:
            out.close()
            return
        if failure is not None and failure.hang:
            await request.ended.wait()
            return
        if failure is not None and failure.status:
            body = failure.body or _error(failure.status, failure.message, failure.errors)
            headers |= failure.headers
            if failure.resets_in_s is not None:
                headers["x-ratelimit-reset"] = str(int(time.time()) + failure.resets_in_s)
            await out.send_json(failure.status, body, headers)
            return
        status, body = self._served(request)
        limits = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4987"}
        await out.send_json(status, body, {**headers, **limits})

    def _next_failure(self, operation: str) -> Failure | None:
        waiting = self._failures.get(operation)
        return waiting.popleft() if waiting else None

    def _served(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("authorization", "").partition(" ")[2] != self.token:
            return 401, _error(401, "Bad credentials")
        if request.path == "/user":
            return 200, {"login": self.login, "id": 1, "type": "User"}
        if request.path == "/user/repos":
            return self._create(request.body)
        found = re.fullmatch(r"/repos/([^/]+)/([^/]+)(/.*)?", request.path)
        repository = found and self.repositories.get(found[2].casefold())
        if not found or not repository or repository.owner != found[1]:
            return 404, _error(404, "Not Found")
        if found[3] is None:
            return 200, _shown(repository)
        return self._in(repository, request.method, found[3], request.body)

    def _create(self, body: Any) -> tuple[int, Any]:
        name = body["name"]
        if name.casefold() in self.repositories or name in self.hidden:
            why = {"resource": "Repository", "code": "custom", "field": "name",
                   "message": "name already exists on this account"}  # fmt: skip
            return 422, _error(422, "Repository creation failed.", [why])
        made = self.add(name, private=body.get("private", False))
        return 201, _shown(made)

    def _in(self, repo: Repository, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: PLR0911
        if path.startswith("/git/") and repo.empty:
            return 409, _error(409, "Git Repository is empty.")
        if method == "GET" and path.startswith("/git/ref/heads/"):
            branch = path.removeprefix("/git/ref/heads/")
            if branch not in repo.branches:
                return 404, _error(404, "Not Found")
            return 200, _ref(branch, repo.branches[branch])
        if method == "GET" and path.startswith("/git/commits/"):
            commit = repo.commits[path.removeprefix("/git/commits/")]
            return 200, {"sha": commit["sha"], "tree": {"sha": commit["tree"]}}
        if method == "PUT" and path.startswith("/contents/"):
            if not repo.empty:
                return 422, _error(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
            files = {path.removeprefix("/contents/"): base64.b64decode(body["content"]).decode()}
            repo.branches[body["branch"]] = sha = repo.commit(files, body["message"], [])
            return 201, {"content": {}, "commit": {"sha": sha}}
        if (method, path) == ("POST", "/git/trees"):
            return self._tree(repo, body)
        if (method, path) == ("POST", "/git/commits"):
            sha = repo.commit(repo.trees[body["tree"]], body["message"], body["parents"])
            return 201, {"sha": sha, "tree": {"sha": body["tree"]}}
        if (method, path) == ("POST", "/git/refs"):
            branch = body["ref"].removeprefix("refs/heads/")
            if branch in repo.branches:
                return 422, _error(422, "Reference already exists")
            repo.branches[branch] = body["sha"]
            return 201, _ref(branch, body["sha"])
        if method == "PATCH" and path.startswith("/git/refs/heads/"):
            branch = path.removeprefix("/git/refs/heads/")
            if not body["force"] and repo.branches[branch] not in repo.commits[body["sha"]]["parents"]:
                return 422, _error(422, "Update is not a fast forward")
            repo.branches[branch] = body["sha"]
            return 200, _ref(branch, body["sha"])
        return 404, _error(404, "Not Found")

    def _tree(self, repo: Repository, body: Any) -> tuple[int, Any]:
        files = dict(repo.trees[body["base_tree"]]) if "base_tree" in body else {}
        for entry in body["tree"]:
            path = entry["path"]
            if path.startswith("/") or any(name in {"", ".", "..", ".git"} for name in path.split("/")):
                return 422, _error(422, "tree.path contains a malformed path component")
            files[path] = entry["content"]
        return 201, {"sha": repo.tree(files), "truncated": False}


def _operation(request: Request) -> str:
    path = re.sub(r"^/repos/[^/]+/[^/]+", "", request.path) or "/"
    path = re.sub(r"^(/git/(?:ref|refs)/heads|/git/commits|/contents)/.+", r"\1", path)
    return f"{request.method} {path}"


def _error(status: int, message: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return {**body, "errors": errors} if errors else body


def _ref(branch: str, sha: str) -> dict[str, Any]:
    return {"ref": f"refs/heads/{branch}", "object": {"sha": sha, "type": "commit"}}


def _shown(repo: Repository) -> dict[str, Any]:
    return {
        "id": 1,
        "name": repo.name,
        "full_name": f"{repo.owner}/{repo.name}",
        "owner": {"login": repo.owner, "id": 1},
        "private": repo.private,
        "html_url": f"https://github.com/{repo.owner}/{repo.name}",
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "disabled": False,
        "permissions": {"admin": repo.push, "push": repo.push, "pull": True},
    }
