"""Buckets: a folder, and a server that speaks S3."""

from __future__ import annotations

import asyncio
import socket
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from stead.evidence import ArtifactConfig, ArtifactStore, links
from stead.providers.embedders import Embedder, EmbedderConfig, build_embedder

ACCESS_KEY = "AKIAEXAMPLE"
SECRET_KEY = "secret-canary-of-s3"


@pytest_asyncio.fixture(scope="session")
async def s3() -> AsyncIterator[str]:
    """Where a server that speaks S3 listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # In a process of its own: its warnings are not ours.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(60):
            while True:
                assert process.returncode is None
                try:
                    await client.get(f"{url}/moto-api/data.json")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield url
    finally:
        process.kill()
        await process.wait()


@pytest_asyncio.fixture
async def s3_bucket(s3: str) -> ArtifactStore:
    """A new bucket there."""
    name = f"evidence-{uuid.uuid4().hex[:8]}"
    async with httpx.AsyncClient() as client:
        # Whom the server takes it for does not matter to it.
        made = await client.put(
            f"{s3}/{name}",
            headers={
                "authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20261121/us-east-1/s3/aws4_request"
            },
        )
        assert made.status_code == 200, made.text
    return ArtifactStore(
        ArtifactConfig(
            url=f"s3://{name}",
            secret=links.key_of("unused"),
            endpoint=s3,
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            max_bytes=20_000_000,
        )
    )


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactStore:
    """A new folder."""
    url = (tmp_path / "files of ours").as_uri()
    return ArtifactStore(ArtifactConfig(url=url, secret=links.key_of("a secret"), max_bytes=20_000_000))


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The one that needs no network."""
    return build_embedder("static", EmbedderConfig())
