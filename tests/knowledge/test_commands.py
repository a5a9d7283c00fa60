"""`stead db vectorize` and `stead db index`, as processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from stead.assembly.database import DatabaseAccess


async def stead(home: Path, url: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert url is not None
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STEAD_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "stead", *arguments],
        env={**kept, "STEAD_HOME": str(home), "STEAD_DATABASE_URL": url},
        capture_output=True, text=True, timeout=90, check=False, cwd=home,
    )  # fmt: skip


async def test_vectorize_says_what_it_does_and_does_it_once(
    real: DatabaseAccess, tmp_path: Path
) -> None:
    doing = await stead(tmp_path, real.admin_url, "db", "vectorize")
    assert doing.returncode == 0, doing.stderr
    assert [line.rpartition(" ")[0] for line in doing.stdout.splitlines()] == [
        "installing pgvector",
        "putting the copy in",
        "vectors are of pgvector's type now (pgvector",
    ]
    again = await stead(tmp_path, real.admin_url, "db", "vectorize")
    assert (again.returncode, "nothing to do" in again.stdout) == (0, True)
    index = await stead(tmp_path, real.admin_url, "db", "index")
    assert (index.returncode, "nothing to do" in index.stdout) == (0, True)


async def test_the_servers_login_may_do_neither(real: DatabaseAccess, tmp_path: Path) -> None:
    for verb in ("vectorize", "index"):
        refused = await stead(tmp_path, real.runtime_url, "db", verb)
        assert refused.returncode == 1
        assert "STEAD_ADMIN_DATABASE_URL" in refused.stderr


async def test_where_pgvector_is_not_installed(plain: DatabaseAccess, tmp_path: Path) -> None:
    refused = await stead(tmp_path, plain.admin_url, "db", "vectorize")
    assert refused.returncode == 1
    assert "pgvector_missing" in refused.stderr
    assert "postgresql-<version>-pgvector" in refused.stderr
    nothing = await stead(tmp_path, plain.admin_url, "db", "index", "--dry-run")
    assert (nothing.returncode, "stead db vectorize" in nothing.stdout) == (0, True)
