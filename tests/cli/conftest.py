"""A home folder of one's own, and the real command in processes of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from stead.db import embedded


@dataclass
class Cli:
    """``stead`` with a home of its own."""

    home: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    servers: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STEAD_")}
        return {**kept, "STEAD_HOME": str(self.home), "STEAD_PORT": str(self.port), **self.environment}

    def run(
        self, *arguments: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "stead", *arguments],
            env={**self.env, **environment}, input=stdin, capture_output=True, text=True, timeout=90,
            check=False, cwd=self.home,
        )  # fmt: skip

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Starts a server and waits until it is ready."""
        log = (self.home / "server.log").open("a")
        process = subprocess.Popen(
            [sys.executable, "-m", "stead", *arguments],
            env={**self.env, **environment}, stdout=log, stderr=log, text=True, cwd=self.home,
        )  # fmt: skip
        log.close()
        self.servers.append(process)
        for _ in range(900):
            assert process.poll() is None, self.log()
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == 200:
                    return process
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log())

    def log(self) -> str:
        """What servers printed."""
        return (self.home / "server.log").read_text()

    def stop(self, process: subprocess.Popen[str]) -> int:
        """Ctrl-C."""
        process.send_signal(signal.SIGINT)
        return process.wait(30)


@pytest.fixture(scope="module")
def cli() -> Iterator[Cli]:
    """One home for the tests of a module."""
    home = Path(tempfile.mkdtemp(prefix="stead-cli-"))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    made = Cli(home=home, port=port)
    yield made
    for process in made.servers:
        if process.poll() is None:
            process.kill()
            process.wait()
    embedded.stop(home, mode="immediate")
    shutil.rmtree(home, ignore_errors=True)
