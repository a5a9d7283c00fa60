"""The operating system's user that the embedded server runs as.

PostgreSQL refuses to run as root. For an ordinary user the server runs as that user. For root it runs
as the owner of the data folder or, for new data, as the system user ``pgserver``, who has no password
and no shell. That user must reach the data and the programs, which may lie below a folder that is
closed to it (``/root`` is 0700).
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stead.db.errors import EmbeddedServerFailed, EmbeddedServerForbidden

if sys.platform != "win32":
    import pwd

SYSTEM_USER: Final = "pgserver"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who the server's processes run as.

    Args:
        name: The login name, as the system's user database has it.
        uid: Its user id.
        gid: Its primary group id.
        switch: True if this process is root and has to become that user for the server's processes.
    """

    name: str
    uid: int
    gid: int
    switch: bool

    def own(self, path: Path) -> None:
        """Hand a file or folder over to the account (nothing to do if this process is the account)."""
        if self.switch:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def open(self, path: Path, flags: int) -> int:
        """Open a file that belongs to the account, made if it is missing, and return its descriptor.

        Links are refused: root must not be led astray in a folder that is the account's own.
        """
        fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if self.switch:
            os.fchown(fd, self.uid, self.gid)
        return fd

    def own_tree(self, root: Path) -> None:
        """Hand a whole folder over: data that was restored or copied by root."""
        for folder, _, files in os.walk(root):
            for path in (Path(folder), *(Path(folder, name) for name in files)):
                self.own(path)

    def run(
        self, argv: list[str], *, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as the account. Does not check its exit status."""
        return subprocess.run(  # noqa: S603
            argv,
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            umask=0o077,
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )


def account_for(data_dir: Path) -> Account:
    """The account for the data in this folder, made if it is missing and this process is root.

    Raises:
        EmbeddedServerForbidden: the data belongs to someone else and this process is not root.
        EmbeddedServerFailed: the system user could not be made.
    """
    try:
        owner = data_dir.stat().st_uid if data_dir.exists() else None
    except PermissionError as error:
        raise _not_yours(data_dir, "another user") from error
    if os.geteuid() != 0:
        if owner not in {None, os.geteuid()}:
            raise _not_yours(data_dir, _name(owner or 0))
        return Account(name=_name(os.geteuid()), uid=os.geteuid(), gid=os.getegid(), switch=False)
    entry = _entry(owner) if owner else _system_user()
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, switch=True)


def let_in(account: Account, *, program: Path, folder: Path) -> None:
    """Make sure that the account can run ``program`` and work in ``folder``.

    Where it cannot, the account (and nobody else) is let *through* the folders above. A folder that
    grants its group nothing, or whose group is root's, becomes traversable for the account's own group;
    another one gets an entry in its access control list, where ``setfacl`` is installed. Nothing
    becomes readable, and nothing opens to everyone.

    Raises:
        EmbeddedServerForbidden: a folder above still keeps the account out.
    """
    if not account.switch or _can_work(account, program, folder):
        return
    for path in _closed(account, program, folder):
        _open(account, path)
    if not program.stat().st_mode & 0o001:  # installed under a umask of 077
        _share_binaries(program.parent.parent)
    if _can_work(account, program, folder):
        return
    closed = _closed(account, program, folder)
    where = f" ({closed[0]} is closed to it)" if closed else ""
    raise EmbeddedServerForbidden(
        f"the user {account.name!r}, as whom the embedded PostgreSQL server runs, cannot work in "
        f"{folder} or cannot run {program}{where}",
        hint="Set STEAD_HOME to a folder that every user may pass through (such as /var/lib/stead), "
        f"or run `chmod o+x` on the folders above it, or run Stead as an ordinary user instead of "
        f"{_name(os.geteuid())}.",
    )


def _can_work(account: Account, program: Path, folder: Path) -> bool:
    # `cd` by the shell: the cwd of a child process is entered before it gives up being root.
    script = 'cd "$1" && exec "$2" --version'
    return account.run(["/bin/sh", "-c", script, "sh", str(folder), str(program)]).returncode == 0


def _closed(account: Account, program: Path, folder: Path) -> list[Path]:
    """The folders on the way to both that the account cannot pass, outermost first."""
    above = [*reversed(program.parents), *reversed(folder.parents), folder]
    return [path for path in dict.fromkeys(above) if not _open_to(account, path)]


def _open_to(account: Account, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == account.gid else 0o001))


def _open(account: Account, folder: Path) -> None:
    status = folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o070 and (setfacl := shutil.which("setfacl")):
        argv = [setfacl, "-m", f"u:{account.uid}:x", str(folder)]
        subprocess.run(argv, check=False, capture_output=True)  # noqa: S603
    elif mode & 0o070 == 0 or status.st_gid == 0:
        os.chown(folder, -1, account.gid)
        folder.chmod(mode & ~0o070 | 0o010)


def _share_binaries(install: Path) -> None:
    for path in (install, *install.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o044 | (0o011 if mode & 0o100 else 0))


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    said = "there is no useradd"
    if useradd:
        said = subprocess.run(  # noqa: S603
            [
                useradd,
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/bin/false",
                SYSTEM_USER,
            ],
            check=False,
            capture_output=True,
            text=True,
        ).stderr.strip()
    try:  # another process may have been faster: only the outcome counts
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedServerFailed(
            "PostgreSQL refuses to run as root, and a system user "
            f"{SYSTEM_USER!r} could not be made: {said}",
            hint=f"Run Stead as an ordinary user, or make a system user named {SYSTEM_USER!r} by hand.",
        ) from None


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedServerFailed(
            f"the user id {uid} has no name, and PostgreSQL runs only as a user that has one",
            hint="Add the user id to /etc/passwd, or run Stead as another user.",
        ) from None


def _name(uid: int) -> str:
    return _entry(uid).pw_name


def _not_yours(data_dir: Path, owner: str) -> EmbeddedServerForbidden:
    return EmbeddedServerForbidden(
        f"the embedded server's data in {data_dir} belongs to {owner}",
        hint="Run Stead as that user or as root, or set STEAD_HOME to a folder of your own.",
    )
