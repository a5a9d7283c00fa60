"""The clients' packages are pinned, and the lock file says nothing of where they came from."""

from __future__ import annotations

import json
import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_package_is_pinned() -> None:
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert all(re.search(r"^(npm:.+@)?\d+\.\d+\.\d+$", version) for version in wanted.values()), wanted


def test_the_lock_file_names_no_addresses() -> None:
    locked = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in locked.items() if "resolved" in package] == []
