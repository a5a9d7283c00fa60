"""Node packages of a folder, installed once as its lock file says."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import fasteners
import pytest


def environment(**more: str) -> dict[str, str]:
    """The environment of a Node process: without settings of Stead, Supabase and Node that are this process'."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STEAD_", "SUPABASE_")) and name not in {"NODE_OPTIONS", "NODE_ENV"}
    }
    return {**kept, "DO_NOT_TRACK": "1", **more}


def install(folder: Path, *, build: bool = False) -> Path:
    """The packages of a folder. Only the first of several processes installs them, and builds what is stale.

    Args:
        folder: Where ``package-lock.json`` is.
        build: Whether the package is built too, by its script of that name.
    """
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    packages = folder / "node_modules"
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    # Not in the folder itself: `npm ci` begins by removing it.
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / f"stead-clients-{place}.lock"):
        if _is_stale(packages / ".installed", lock := _digest([folder / "package-lock.json"])):
            run(folder, "npm", "ci", "--loglevel=error")
            (packages / ".installed").write_text(lock)
        if build and _is_stale(packages / ".built", sources := _digest(_sources(folder))):
            run(folder, "npm", "run", "--silent", "build")
            (packages / ".built").write_text(sources)
    return packages


def _sources(folder: Path) -> list[Path]:
    found = [
        path for name in ("src", "scripts") for path in (folder / name).rglob("*") if path.is_file()
    ]
    return sorted([*found, *folder.glob("*.json")])


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _is_stale(stamp: Path, wanted: str) -> bool:
    return not stamp.exists() or stamp.read_text() != wanted


def run(folder: Path, *command: str, given: str | None = None) -> str:
    """What a command that ends well says."""
    done = subprocess.run(
        command, cwd=folder, env=environment(), input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout
