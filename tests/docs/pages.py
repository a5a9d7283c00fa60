"""The documentation as tests read it: its files, tables and fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "clients" / "typescript" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Args:
        info: What stands after the fence: the language, and what is to be done with it.
        line: Where it begins in its page.
    """

    page: Path
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        """The first word of the info."""
        return self.info.partition(" ")[0]

    @property
    def name(self) -> str:
        """For the names of tests."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    """Every fenced block of every page."""
    for page in PAGES:
        opened: tuple[int, str, str] | None = None
        inside: list[str] = []
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            fence = re.fullmatch(r"( *)```(.*)", line)
            if fence is None:
                inside.append(line)
            elif opened is None:
                opened, inside = (number, fence[1], fence[2].strip()), []
            else:
                text = "\n".join(text.removeprefix(opened[1]) for text in inside)
                yield Block(page=page, line=opened[0], info=opened[2], text=text + "\n")
                opened = None
        assert opened is None, f"{page}: a block is not closed"


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(
        r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


def rows(page: Path) -> list[list[str]]:
    """The cells of every table's rows, without heads."""
    found: list[list[str]] = []
    for line in prose(page).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            continue
        if all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            found.pop()  # what stands above was the head
        else:
            found.append(cells)
    return found


def code(cell: str) -> str:
    """A cell without its backticks."""
    return cell.strip("`")


def sections(page: Path) -> dict[str, str]:
    """The text under each heading, down to the next one of any level."""
    found: dict[str, str] = {}
    heading = ""
    for line in prose(page).splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
            assert heading not in found, f"{page}: two headings {heading!r}"
            found[heading] = ""
        elif heading:
            found[heading] += line + "\n"
    return found
