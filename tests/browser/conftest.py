"""A browser; the console's operators; and the example's pages, as they are built for everybody."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.console.conftest import console, desk
from tests.support import node

__all__ = ["console", "desk"]

_ROOT: Final = Path(__file__).parents[2]
_CLIENT: Final = _ROOT / "clients" / "typescript"
EXAMPLE: Final = _ROOT / "examples" / "web"


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium")
    # How long it takes is not what is tested.
    expect.set_options(timeout=30_000)
    async with async_playwright() as playwright:
        # As root there is no sandbox; it loads pages of this test's own server only.
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def built() -> Path:
    """The example's pages, built on the client as it is published."""
    node.install(_CLIENT, build=True)
    node.install(EXAMPLE, build=True, beside=[_CLIENT / "dist"])
    return EXAMPLE / "dist"
