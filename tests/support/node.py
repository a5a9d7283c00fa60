"""Packages of Node in folders of this repository: installed and built by the first process that needs them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import fasteners
import pytest


def environment(**more: str) -> dict[str, str]:
    """For programs of Node: what of ours would lead them elsewhere is left out."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STEAD_", "SUPABASE_")) and name not in {"NODE_OPTIONS", "NODE_ENV"}
    }
    return {**kept, "DO_NOT_TRACK": "1", **more}


def install(folder: Path) -> None:
    """``npm ci``, unless what its lock says is there."""
    lock_file = folder / "package-lock.json"
    _once(folder, ".installed", _digest([lock_file]), ["npm", "ci", "--loglevel=error"])


def build(folder: Path, *sources: Path) -> None:
    """``npm run build``, unless it was built of the same files.

    Args:
        folder: Where to run it; its packages are installed.
        sources: Files, and folders with all that is in them.
    """
    files = [file for each in sources for file in (sorted(each.rglob("*")) if each.is_dir() else [each])]
    _once(folder, ".built", _digest(file for file in files if file.is_file()), ["npm", "run", "build"])


def _once(folder: Path, name: str, wanted: str, command: list[str]) -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    stamp = folder / "node_modules" / name
    place = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    # Not in the folder itself: `npm ci` begins by removing it.
    with fasteners.InterProcessLock(Path(tempfile.gettempdir()) / f"stead-clients-{place}.lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return
        done = subprocess.run(
            command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        stamp.write_text(wanted)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()
