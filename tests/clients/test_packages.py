"""The clients' packages are pinned, and the lock file says nothing of where they came from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

FOLDERS = pytest.mark.parametrize(
    "folder", [Path(__file__).parent, ROOT / "clients" / "typescript"], ids=lambda folder: folder.name
)


@FOLDERS
def test_every_package_is_pinned(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    wanted = {**package["dependencies"], **package.get("devDependencies", {})}
    assert all(re.search(r"^(npm:.+@)?\d+\.\d+\.\d+$", version) for version in wanted.values()), wanted


@FOLDERS
def test_the_lock_file_names_no_addresses(folder: Path) -> None:
    locked = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, package in locked.items() if "resolved" in package] == []
    # npm leaves it out of packages for other machines than the one that wrote the file.
    needed = {name: package for name, package in locked.items() if name and not package.get("optional")}
    assert [name for name, package in needed.items() if "integrity" not in package] == []
