"""The embedded server's processes: found, started, signalled, waited for.

Two locks keep one folder from ever having two servers:

* ``postgres.lock`` is held by whoever is starting or stopping the server, for that long.
* ``postgres.held`` is inherited by the server and all its backends and so is held, by the kernel, for
  exactly as long as any of them lives. Unlike a process id in a file it survives no crash, is not
  fooled by a reused id, and is seen from other containers that share the folder.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from stead.db.embedded.account import Account
from stead.db.errors import EmbeddedServerBusy, EmbeddedServerFailed

if sys.platform != "win32":
    import fcntl

POLL_S: Final = 0.01
_START_TIMEOUT_S: Final = 120.0  # recovery after a crash reads the log since the last checkpoint
_LOCK_TIMEOUT_S: Final = _START_TIMEOUT_S + 60
_ORPHAN_GRACE_S: Final = 1.0
_ORPHAN_END_S: Final = 5.0
_TAIL_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """A running server, as its ``postmaster.pid`` describes it.

    Args:
        pid: The process id of its first process.
        socket_dir: Where its Unix socket is (``None`` until it has one).
        port: The number in the socket's name, and the TCP port if it listens on TCP.
        tcp: True if it listens on TCP.
        status: ``starting``, ``stopping``, ``ready`` or ``standby``.
    """

    pid: int
    socket_dir: Path | None
    port: int
    tcp: bool
    status: str

    @property
    def reachable(self) -> bool:
        """True if it is ready and its socket is there (someone may have emptied the folder)."""
        if self.status != "ready" or self.socket_dir is None:
            return False
        return (self.socket_dir / f".s.PGSQL.{self.port}").is_socket()


def find(data_dir: Path) -> Postmaster | None:
    """The server that runs on this data, whoever started it."""
    lines = _pid_file(data_dir)
    pid = _number(lines, 0)
    if pid is None or not _is_postmaster(pid, data_dir):
        return None
    socket_dir = lines[4].strip() if len(lines) > 4 else ""
    return Postmaster(
        pid=pid,
        socket_dir=Path(socket_dir) if socket_dir else None,
        port=_number(lines, 3) or 0,
        tcp=len(lines) > 5 and bool(lines[5].strip()),
        status=lines[7].strip() if len(lines) > 7 else "starting",
    )


def stale_pid(data_dir: Path) -> int | None:
    """The process id in ``postmaster.pid``, whatever process has it now."""
    return _number(_pid_file(data_dir), 0)


def _pid_file(data_dir: Path) -> list[str]:
    try:
        return (data_dir / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _number(lines: list[str], at: int) -> int | None:
    try:
        return int(lines[at])
    except (IndexError, ValueError):
        return None


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    # By its command line, not by /proc/PID/cwd: that one is unreadable to root in a default container.
    try:
        argv = psutil.Process(pid).cmdline()
    except (psutil.Error, ValueError):
        return False  # gone, or a zombie
    return bool(argv) and Path(argv[0]).name == "postgres" and str(data_dir) in argv


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


@contextlib.contextmanager
def exclusive(path: Path, account: Account) -> Generator[None]:
    """Hold the lock for starting and stopping. Works between threads as well as processes."""
    fd = _lock(path, account, _LOCK_TIMEOUT_S)
    if fd is None:
        raise EmbeddedServerBusy(
            "another process has been starting or stopping the embedded server "
            f"for {_LOCK_TIMEOUT_S:.0f} s",
            hint=f"Look at postgres.log in {path.parent}.",
        )
    try:
        yield
    finally:
        os.close(fd)


def _lock(path: Path, account: Account, timeout_s: float) -> int | None:
    fd = account.open(path, os.O_RDWR)
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                return None
            time.sleep(POLL_S)
        except OSError:
            os.close(fd)
            raise
        else:
            return fd


@contextlib.contextmanager
def held(path: Path, account: Account, cluster_name: str) -> Generator[int]:
    """Take the lock that a server keeps while it lives, and yield its file descriptor.

    When a server's first process was killed, backends in the middle of something may outlive it for a
    while; a second server beside them would ruin the data. They get a second, then they are ended.
    """
    fd = _lock(path, account, _ORPHAN_GRACE_S)
    if fd is None:
        _end_orphans(cluster_name)
        fd = _lock(path, account, _ORPHAN_END_S)
    if fd is None:
        raise EmbeddedServerBusy(
            f"processes of another server, perhaps in another container, still hold {path.parent}",
            hint="Stop that server first, or set STEAD_HOME to another folder.",
        )
    try:
        yield fd
    finally:
        os.close(fd)  # the server has its own copy by now


def _end_orphans(cluster_name: str) -> None:
    for process in psutil.process_iter():
        try:
            title = " ".join(process.cmdline())
            if title.startswith(f"postgres: {cluster_name}:"):
                process.kill()
        except psutil.Error:
            continue


def spawn(
    argv: list[str], *, account: Account, cwd: Path, env: dict[str, str], log: Path, fd: int
) -> int:
    """Start the server detached and return its process id.

    It gets a session of its own, so that Ctrl-C in the terminal does not reach it, and is no child of
    this process (the shell in between ends at once), so that it outlives it and leaves no zombie.
    """
    log_fd = account.open(log, os.O_WRONLY | os.O_APPEND)
    try:
        shell = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *argv],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log_fd,
            pass_fds=(fd,),
            start_new_session=True,
            umask=0o077,
            user=account.uid if account.switch else None,
            group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
            check=True,
            text=True,
        )
    finally:
        os.close(log_fd)
    return int(shell.stdout)


def wait_ready(data_dir: Path, pid: int, log: Path, log_from: int = 0) -> Postmaster:
    """Wait until the server with this process id accepts connections.

    Raises:
        EmbeddedServerFailed: it ended, or is not ready after two minutes; with the end of its log.
    """
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        found = find(data_dir)
        if found is not None and found.pid == pid and found.reachable:
            return found
        if not _alive(pid):
            raise failure("the embedded PostgreSQL server ended while starting", log, log_from)
        time.sleep(POLL_S)
    raise failure(
        f"the embedded server is still starting after {_START_TIMEOUT_S:.0f} s and was left to it",
        log,
        log_from,
    )


def wait_gone(held_path: Path, data_dir: Path, pid: int, account: Account, timeout_s: float) -> bool:
    """Wait until the server and all its backends have ended; False if they have not within the time."""
    deadline = time.monotonic() + timeout_s
    while _is_postmaster(pid, data_dir):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    fd = _lock(held_path, account, max(0.0, deadline - time.monotonic()))
    if fd is None:
        return False
    os.close(fd)
    return True


def failure(what: str, log: Path, log_from: int = 0) -> EmbeddedServerFailed:
    """The error for a server that failed, with what it said last and what can be done about it."""
    tail = _tail(log, log_from)
    hint = f"The whole log is {log}."
    if "Address already in use" in tail:
        hint = "Another program uses that TCP port: choose another one, or none. " + hint
    elif "No space left on device" in tail:
        hint = "The disk or the shared memory is full. " + hint
    said = f". It said:\n{tail}" if tail else " and wrote nothing to its log"
    return EmbeddedServerFailed(f"{what}{said}", hint=hint)


def _tail(log: Path, log_from: int, lines: int = 20) -> str:
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(log_from if log_from <= size else 0, size - _TAIL_BYTES))
            said = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(said.splitlines()[-lines:])
