"""The embedded server, each time a real one in a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import psutil
import pytest

from stead.db import embedded
from stead.db.embedded import EmbeddedServer, create_database, ensure_running, psql_path, status, stop
from stead.db.errors import (
    EmbeddedDataVersion,
    EmbeddedServerBusy,
    EmbeddedServerFailed,
    EmbeddedServerForbidden,
)

FAST = {"fsync": "off"}
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not ``tmp_path``: each session of pytest closes the folders of the others to the server's user."""
    path = Path(tempfile.mkdtemp(prefix="stead-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    path = folder / "home"
    yield path
    with contextlib.suppress(EmbeddedDataVersion):
        stop(path, mode="immediate")


def psql(dsn: str, sql: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [psql_path(), "-XAtq", "-v", "ON_ERROR_STOP=1", "-w", "-d", dsn, "-c", sql],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def ask(server: EmbeddedServer, sql: str, *, user: str = "postgres", database: str = "postgres") -> str:
    ran = psql(server.dsn(user=user, database=database), sql)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@contextlib.contextmanager
def client(server: EmbeddedServer) -> Iterator[subprocess.Popen[str]]:
    """A psql that is connected and idle."""
    with subprocess.Popen(
        [psql_path(), "-XAtq", "-d", server.dsn(user="postgres", database="postgres")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("select 'connected';\n")
        process.stdin.flush()
        assert process.stdout.readline() == "connected\n"
        yield process
        process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: object, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def postmasters(home: Path) -> list[int]:
    data = str(home.resolve() / "postgres")
    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            argv = process.cmdline()
            if argv and Path(argv[0]).name == "postgres" and data in argv:
                found.append(process.pid)
    return found


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def account_uid(server: EmbeddedServer) -> int:
    return server.data_dir.stat().st_uid


class TestLife:
    def test_it_starts_is_reused_stops_and_keeps_its_data(self, home: Path) -> None:
        assert status(home) is None
        assert stop(home) is False

        first = ensure_running(home, settings=FAST)
        assert first.started_here
        assert first.port is None
        ask(first, "create table kept as select 42 as answer")

        second = ensure_running(home)
        assert not second.started_here
        assert second.pid == first.pid
        assert status(home) == second

        assert stop(home) is True
        assert status(home) is None
        assert postmasters(home) == []

        third = ensure_running(home, settings=FAST)
        assert third.started_here
        assert ask(third, "select answer from kept") == "42"

    def test_durable_by_default_and_overridable(self, home: Path) -> None:
        wanted = {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "shared_buffers": "128MB",
            "max_connections": "200",
            "wal_level": "replica",
            "jit": "off",
            "random_page_cost": "1.1",
            "TimeZone": "UTC",
            "listen_addresses": "",
        }
        server = ensure_running(home, settings={"work_mem": "7MB"})
        names = ", ".join(f"current_setting('{name}')" for name in wanted)
        assert ask(server, f"select {names}") == "|".join(wanted.values())
        assert ask(server, "show work_mem") == "7MB"
        assert ask(server, "select datlocprovider, datlocale from pg_database limit 1") == "b|C.UTF-8"
        ask(server, "create extension vector")

        # What was tuned in the server itself outlives a restart.
        ask(server, "alter system set shared_buffers = '64MB'")
        stop(home)
        assert ask(ensure_running(home, settings=FAST), "show shared_buffers") == "64MB"

    def test_databases_are_created_once(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        server = ensure_running(home, settings=FAST)
        monkeypatch.setenv("PGPORT", "1")  # a user's own settings for psql lead nowhere else
        monkeypatch.setenv("PGOPTIONS", "-c transaction_read_only=on")
        for name in ("stead", "stead", "we\"ird 'näme; --"):
            create_database(server, name)
        monkeypatch.delenv("PGOPTIONS")
        assert ask(server, "select current_database()", database="stead") == "stead"
        assert ask(server, "select current_database()", database="we\"ird 'näme; --")

    def test_a_large_log_is_put_aside_at_start(self, home: Path) -> None:
        home.mkdir()
        log = home / "postgres.log"
        with log.open("wb") as file:
            file.truncate(11 * 1024 * 1024)
        ensure_running(home, settings=FAST)
        assert (home / "postgres.log.1").stat().st_size == 11 * 1024 * 1024
        assert b"ready to accept connections" in log.read_bytes()
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


class TestSeveralAtOnce:
    def test_racing_processes_and_threads_get_one_server(self, home: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from stead.db.embedded import ensure_running\n"
            "server = ensure_running(Path(sys.argv[1]), settings={'fsync': 'off'})\n"
            "print(server.pid, server.started_here)"
        )
        racers = [
            subprocess.Popen([sys.executable, "-c", script, home], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        with ThreadPoolExecutor(2) as pool:
            here = list(pool.map(lambda _: ensure_running(home, settings=FAST), range(2)))
        said = [racer.communicate()[0].split() for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0]

        assert {int(pid) for pid, _ in said} | {server.pid for server in here} == {here[0].pid}
        assert [*(flag for _, flag in said), *(str(server.started_here) for server in here)].count(
            "True"
        ) == 1
        assert postmasters(home) == [here[0].pid]

    def test_ctrl_c_does_not_reach_the_server(self, home: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path; from stead.db.embedded import ensure_running\n"
            "print(ensure_running(Path(sys.argv[1]), settings={'fsync': 'off'}).pid, flush=True)\n"
            "time.sleep(60)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", script, home],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as starter:
            assert starter.stdout
            pid = int(starter.stdout.readline())
            os.killpg(starter.pid, signal.SIGINT)
        assert starter.returncode != 0
        server = status(home)
        assert server is not None
        assert server.pid == pid
        assert ask(server, "select 1") == "1"


class TestAfterACrash:
    def test_a_killed_server_is_started_again_beside_no_orphan(self, home: Path) -> None:
        first = ensure_running(home, settings=FAST)
        ask(first, "create table kept as select 42 as answer")
        busy = threading.Thread(
            # A loop that never looks up: this backend outlives the server's first process.
            target=psql,
            args=(
                first.dsn(user="postgres", database="postgres"),
                "do $$ begin perform count(*) from generate_series(1, 1000000000); end $$",
            ),
        )
        busy.start()
        sql = "select coalesce(max(pid), 0) from pg_stat_activity where query like 'do %'"
        wait_until(lambda: int(ask(first, sql)))
        orphan = int(ask(first, sql))

        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: gone(first.pid))
        assert status(home) is None
        second = ensure_running(home, settings=FAST)
        busy.join(10)

        assert second.started_here
        assert gone(orphan)
        assert ask(second, "select answer from kept") == "42"

    def test_a_stale_process_id_of_another_process_does_not_matter(self, home: Path) -> None:
        first = ensure_running(home, settings=FAST)
        pid_file = first.data_dir / "postmaster.pid"
        left = pid_file.read_text()
        stop(home)
        uid = account_uid(first)
        with subprocess.Popen(["sleep", "60"], user=uid if AS_ROOT else None) as other:
            pid_file.write_text(left.replace(str(first.pid), str(other.pid), 1))
            lock = first.socket_dir / ".s.PGSQL.5432.lock"
            lock.parent.mkdir(mode=0o700)
            lock.write_text(pid_file.read_text())
            for path in (pid_file, lock.parent, lock):
                os.chown(path, uid, -1)

            assert status(home) is None
            assert stop(home) is False
            assert other.poll() is None
            second = ensure_running(home, settings=FAST)

            assert second.started_here
            assert ask(second, "select 1") == "1"
            assert stop(home)
            assert other.poll() is None
            other.kill()

    def test_a_copy_of_a_running_servers_folder_is_not_that_server(
        self, home: Path, folder: Path
    ) -> None:
        original = ensure_running(home, settings=FAST)
        copy = folder / "copy"
        try:
            shutil.copytree(home, copy, ignore=shutil.ignore_patterns(".s.PGSQL*"))  # root's, as copied
            assert status(copy) is None
            copied = ensure_running(copy, settings=FAST)
            assert copied.pid != original.pid
            assert stop(copy)
        finally:
            stop(copy, mode="immediate")
        assert ask(original, "select 1") == "1"

    def test_an_emptied_socket_folder_is_mended(self, home: Path) -> None:
        first = ensure_running(home, settings=FAST)
        shutil.rmtree(first.socket_dir)
        assert status(home) is None
        second = ensure_running(home, settings=FAST)
        assert second.pid != first.pid
        assert ask(second, "select 1") == "1"
        assert postmasters(home) == [second.pid]

    def test_an_interrupted_initdb_is_done_again(self, home: Path) -> None:
        (home / "postgres.new").mkdir(parents=True)
        (home / "postgres.new" / "PG_VERSION").write_text("18\n")
        assert ask(ensure_running(home, settings=FAST), "select 1") == "1"
        assert not (home / "postgres.new").exists()


class TestPaths:
    @pytest.mark.parametrize(
        "name",
        ['two words, it\'s "Übung" \\ 漢字 100%', "/".join(["a-long-folder-name"] * 8)],
        ids=["odd", "long"],
    )
    async def test_any_path_will_do(self, folder: Path, name: str) -> None:
        home = folder / name
        try:
            server = await asyncio.to_thread(ensure_running, home, settings=FAST)
            assert server.data_dir == home / "postgres"
            assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
            await asyncio.to_thread(create_database, server, "stead")
            assert await asyncio.to_thread(ask, server, "select 1", database="stead") == "1"
            connection = await asyncpg.connect(server.dsn(user="postgres"))
            assert await connection.fetchval("select current_database()") == "stead"
            await connection.close()
            again = await asyncio.to_thread(ensure_running, home)
            assert again.pid == server.pid
        finally:
            await asyncio.to_thread(stop, home, mode="immediate")

    def test_someone_elses_folder_in_the_place_of_the_socket(self, folder: Path) -> None:
        home = folder / "with space"
        first = ensure_running(home, settings=FAST)
        try:
            stop(home)
            assert not first.socket_dir.exists()
            first.socket_dir.symlink_to(folder)
            second = ensure_running(home, settings=FAST)
            assert second.socket_dir != first.socket_dir
            assert ask(second, "select 1") == "1"
            assert stop(home)
            assert not second.socket_dir.exists()
        finally:
            stop(home, mode="immediate")
            first.socket_dir.unlink()


class TestTcp:
    def test_a_password_is_needed_and_the_port_can_change(self, home: Path) -> None:
        port, other_port = free_port(), free_port()
        server = ensure_running(home, tcp_port=port, settings=FAST)
        assert server.port == port
        ask(server, "create role alice login password 'wonderland'")
        dsn = f"postgresql://alice@127.0.0.1:{port}/postgres"

        assert psql(dsn, "select 1").returncode != 0
        assert psql(dsn, "select 1", PGPASSWORD="wrong").returncode != 0
        assert psql(dsn, "select 1", PGPASSWORD="wonderland").stdout == "1\n"
        assert "scram-sha-256" in ask(server, "show password_encryption")
        listening = [c.laddr.ip for c in psutil.Process(server.pid).net_connections("inet")]
        assert listening == ["127.0.0.1"]

        with client(server), pytest.raises(EmbeddedServerBusy, match=str(other_port)):
            ensure_running(home, tcp_port=other_port)
        assert status(home) is not None

        moved = ensure_running(home, tcp_port=other_port, settings=FAST)
        assert (moved.started_here, moved.port) == (True, other_port)
        assert ask(moved, "select 1", user="alice") == "1"
        assert (
            psql(dsn.replace(str(port), str(other_port)), "select 1", PGPASSWORD="wonderland").stdout
            == "1\n"
        )

        closed = ensure_running(home, settings=FAST)
        assert (closed.started_here, closed.port) == (True, None)
        assert psutil.Process(closed.pid).net_connections("inet") == []

    def test_a_taken_port_is_said_with_the_end_of_the_log(self, home: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(EmbeddedServerFailed, match="could not bind") as caught:
                ensure_running(home, tcp_port=int(taken.getsockname()[1]), settings=FAST)
        assert "choose another" in caught.value.hint
        assert caught.value.code == "embedded_server_failed"


class TestRefusals:
    def test_data_of_another_major_version(self, home: Path) -> None:
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "PG_VERSION").write_text("16\n")
        with pytest.raises(EmbeddedDataVersion, match="PostgreSQL 16") as caught:
            ensure_running(home)
        assert "pg_dumpall" in caught.value.hint

    def test_a_folder_that_holds_something_else(self, home: Path) -> None:
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "thesis.txt").write_text("mine")
        with pytest.raises(EmbeddedServerFailed, match="holds no PostgreSQL data"):
            ensure_running(home)

    def test_a_setting_that_does_not_exist(self, home: Path) -> None:
        with pytest.raises(EmbeddedServerFailed, match="no_such_setting"):
            ensure_running(home, settings={**FAST, "no_such_setting": "1"})

    def test_a_home_that_cannot_be_made(self, folder: Path) -> None:
        (folder / "file").write_text("")
        with pytest.raises(EmbeddedServerFailed, match="cannot make the folder"):
            ensure_running(folder / "file" / "home")


def as_nobody(script: str, *args: object) -> subprocess.CompletedProcess[str]:
    """Run Python as the user nobody. Imports come first: the interpreter may be closed to that user."""
    preamble = (
        "import os, sys, encodings.idna; from pathlib import Path\n"
        "from stead.db.embedded import create_database, ensure_running, status, stop\n"
        "from stead.db.embedded import psql_path\n"
        "import subprocess\n"
        "entry = __import__('pwd').getpwnam('nobody')\n"
        "os.setgroups([]); os.setgid(entry.pw_gid); os.setuid(entry.pw_uid)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", preamble + script, *(str(arg) for arg in args)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )


@pytest.fixture
def open_folder(folder: Path) -> Path:
    """A folder that other users can reach."""
    folder.chmod(0o755)
    return folder


@needs_root
class TestUsers:
    def test_root_gets_a_server_of_the_system_user_below_its_private_folder(
        self, open_folder: Path
    ) -> None:
        private = open_folder / "private"
        private.mkdir(mode=0o700)
        home = private / "home"
        try:
            server = ensure_running(home, settings=FAST)
            assert psutil.Process(server.pid).username() == "pgserver"
            assert pwd.getpwuid(account_uid(server)).pw_name == "pgserver"
            assert ask(server, "select current_user", user="postgres") == "postgres"
            for folder in (private, home):
                assert folder.stat().st_mode & 0o007 == 0, "only the system user is let through"
                assert folder.stat().st_mode & 0o070 == 0o010

            # Another local user cannot connect, even if every folder and the socket were open.
            probe = (
                "sys.exit(subprocess.run([psql_path(), '-d', sys.argv[1], '-c', 'select 1']).returncode)"
            )
            dsn = server.dsn(user="postgres", database="postgres")
            assert "Permission denied" in as_nobody(probe, dsn).stderr
            for path in (private, home, server.socket_dir, server.socket_dir / ".s.PGSQL.5432"):
                path.chmod(0o777)
            assert "Peer authentication failed" in as_nobody(probe, dsn).stderr

            asked = as_nobody("ensure_running(Path(sys.argv[1]))", home)
            assert "EmbeddedServerForbidden" in asked.stderr
            asked = as_nobody("stop(Path(sys.argv[1]))", home)
            assert "EmbeddedServerForbidden" in asked.stderr
        finally:
            stop(home, mode="immediate")

    def test_an_ordinary_user_gets_a_server_of_its_own_and_root_can_use_it(
        self, open_folder: Path
    ) -> None:
        home = open_folder / "home"
        home.mkdir()
        shutil.chown(home, "nobody")
        try:
            ran = as_nobody(
                "server = ensure_running(Path(sys.argv[1]), settings={'fsync': 'off'})\n"
                "create_database(server, 'stead'); print(server.pid)",
                home,
            )
            assert ran.returncode == 0, ran.stderr
            pid = int(ran.stdout)
            assert psutil.Process(pid).username() == "nobody"

            server = ensure_running(home)
            assert server.pid == pid
            assert ask(server, "select current_database()", database="stead") == "stead"
            assert stop(home)

            # Root starts it again: as nobody, whose data it is, and nobody can still stop it.
            assert ensure_running(home, settings=FAST).started_here
            ran = as_nobody("print(stop(Path(sys.argv[1])))", home)
            assert ran.stdout == "True\n", ran.stderr
        finally:
            stop(home, mode="immediate")

    def test_a_folder_that_stays_closed_is_named(
        self, open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = open_folder / "closed"
        closed.mkdir()
        os.chown(closed, -1, 1)
        closed.chmod(0o750)  # open to a group that the system user is not in
        monkeypatch.setattr(shutil, "which", lambda *_, **__: None)  # no setfacl
        with pytest.raises(EmbeddedServerForbidden, match="closed is closed to it") as caught:
            ensure_running(closed / "home")
        assert "chmod o+x" in caught.value.hint
        assert stat.S_IMODE(closed.stat().st_mode) == 0o750


def test_the_public_names() -> None:
    assert all(hasattr(embedded, name) for name in embedded.__all__)
