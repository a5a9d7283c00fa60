"""Which paths files of a project can have: none that leaves the folder into which they are unpacked."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from stead.apps.forge.errors import FilePathInvalid

MAX_PATH_CHARS: Final = 500
_MAX_NAME_BYTES: Final = 255
#: Windows takes these for devices, whatever follows the first dot.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{name}{n}" for name in ("com", "lpt") for n in "0123456789¹²³"}
)
_FORBIDDEN: Final = frozenset('\\<>:"|?*')
#: Names by which a file system may come to `.git`, whose files are programs that run.
_GIT: Final = frozenset({".git", "git~1"})


def check_path(path: str) -> str:
    """The path, where it is a good one: relative, with ``/`` between names, and the same on every system.

    Raises:
        FilePathInvalid: Absolute, too long, with a ``..``, a control character, a reserved name, …
    """
    fault = fault_of(path)
    if fault is not None:
        raise FilePathInvalid(f"the path {fault}", hint="Such as src/app/page.tsx.")
    return path


def fault_of(path: str) -> str | None:
    """What is wrong with a path, in words that repeat none of it; None: nothing."""
    if not 1 <= len(path) <= MAX_PATH_CHARS:
        return f"has not 1 to {MAX_PATH_CHARS} characters"
    if path.startswith("/"):
        return "is absolute"
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in path):
        return "has characters that cannot be seen"
    if _FORBIDDEN & set(path):
        return "has characters that not every system allows in a name"
    if unicodedata.normalize("NFC", path) != path:
        return "is not in Unicode's normal form C"
    for name in path.split("/"):
        if name in {"", ".", ".."}:
            return "has an empty name, or one of dots only"
        if len(name.encode()) > _MAX_NAME_BYTES:
            return f"has a name of more than {_MAX_NAME_BYTES} bytes"
        if name != name.strip() or name.endswith("."):
            return "has a name that begins or ends with a space, or ends with a dot"
        if name.lower() in _GIT or name.lower().partition(".")[0] in _DEVICES:
            return "has a reserved name"
    return None


def as_name(text: str) -> str:
    """A name for a file or folder made of any text; empty where nothing of it can be used."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:60]
