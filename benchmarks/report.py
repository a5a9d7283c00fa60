"""What every benchmark says about itself: progress on stderr, one JSON object at the end of stdout."""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

_STARTED_S: Final = time.monotonic()
_ROOT: Final = Path(__file__).resolve().parent.parent


def arguments(description: str, example: str) -> argparse.ArgumentParser:
    """A parser whose ``--help`` ends with an example."""
    return argparse.ArgumentParser(
        description=description,
        epilog=f"example: {example}",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )


def progress(text: str) -> None:
    """A line on stderr, with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED_S:7.1f} s] {text}", file=sys.stderr, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile.

    Args:
        values: At least one.
        share: 0 to 1; 0.5 is the (lower) median.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def machine() -> dict[str, Any]:
    """What it ran on, and how busy others kept it."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before_s60": round(os.getloadavg()[0], 2),
    }


def finish(name: str, postgres: str, figures: dict[str, Any], *, about: dict[str, Any]) -> None:
    """Prints the result: the figures first, then what they were measured on."""
    result = {
        "benchmark": name,
        **figures,
        "machine": about,
        "postgres": postgres,
        "commit": _commit(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "took_s": round(time.monotonic() - _STARTED_S, 1),
    }
    print(json.dumps(result, ensure_ascii=False), flush=True)


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    try:
        return _git("rev-parse", "--short", "HEAD") + (
            "+changes" if _git("status", "--porcelain") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*command: str) -> str:
    ran = subprocess.run(["git", *command], cwd=_ROOT, capture_output=True, text=True, check=True)
    return ran.stdout.strip()
