"""The bucket: a folder of this machine, S3, or what speaks S3 (Supabase Storage, MinIO).

Knows objects and keys, and nothing of tenants or rows. Never called inside a transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from stead.core.errors import Invalid
from stead.db import assert_no_transaction
from stead.evidence.errors import ArtifactStoreUnavailable, ArtifactTooLarge

#: 001's bucket; of S3 the URL says which.
BUCKET: Final = "evidence-artifacts"
#: After so long an upload is given up. Its row is swept later than that: see `stead.evidence.artifacts`.
UPLOAD_TIMEOUT_S: Final = 1800.0
#: S3's own longest.
MAX_LINK_S: Final = 7 * 86_400


@dataclass(frozen=True, kw_only=True)
class ArtifactConfig:
    """Where files are kept.

    Args:
        url: ``file:///folder`` or ``s3://bucket``.
        secret: What links to files that Stead serves itself are signed with; the same on every host.
        endpoint: Of what speaks S3 and is not Amazon's, such as ``https://x.supabase.co/storage/v1/s3``.
        access_key_id: None: what the machine has (an instance's or a container's role).
        max_bytes: Of one file.
        timeout_s: For one request to S3.
    """

    url: str
    secret: bytes = field(repr=False)
    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    max_bytes: int = 100 * 1024 * 1024
    timeout_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What was stored.

    Args:
        size: In bytes.
        sha256: Of its bytes, made while they came.
    """

    size: int
    sha256: bytes


class ArtifactStore:
    """One bucket.

    Raises:
        Invalid: The URL is none of a bucket.
    """

    def __init__(self, config: ArtifactConfig) -> None:
        self.config = config
        parts = urlsplit(config.url)
        self._folder: Path | None = None
        if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path not in {"", "/"}:
            self.bucket = BUCKET
            self._folder = Path(unquote(parts.path)) / BUCKET
            self._s3: S3Store | None = None
        elif parts.scheme == "s3" and parts.netloc and parts.path in {"", "/"}:
            self.bucket = parts.netloc
            self._s3 = _s3(config, parts.netloc)
        else:
            raise Invalid(
                "artifacts are kept at no such URL",
                hint="STEAD_ARTIFACTS_URL=file:///folder or s3://bucket",
            )
        self._local: LocalStore | None = None

    @property
    def serves(self) -> bool:
        """Whether files are downloaded from Stead, and not from the bucket itself."""
        return self._folder is not None

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, name: str, media_type: str) -> Stored:
        """Stores an object as it comes in; nothing of it is seen under its key before it is whole.

        Args:
            key: Where.
            chunks: Its bytes.
            name: The name under which it is downloaded.
            media_type: What it is served as.

        Raises:
            ArtifactTooLarge: There were more bytes than are taken; nothing was stored.
            ArtifactStoreUnavailable: The bucket does not take it.
        """
        assert_no_transaction("storing an artifact")
        digest, size = hashlib.sha256(), 0

        async def measured() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in chunks:
                size += len(chunk)
                if size > self.config.max_bytes:
                    raise ArtifactTooLarge(f"at most {self.config.max_bytes} bytes are taken")
                if chunk:
                    digest.update(chunk)
                    yield chunk

        attributes = None
        if self._s3 is not None:
            attributes = {"Content-Type": media_type, "Content-Disposition": disposition(name)}
        try:
            async with asyncio.timeout(UPLOAD_TIMEOUT_S):
                await obstore.put_async(
                    await self._opened(), key, measured(), attributes=attributes, max_concurrency=2
                )
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error
        return Stored(size=size, sha256=digest.digest())

    async def remove(self, keys: Sequence[str]) -> list[str]:
        """Removes objects, and says which of them are surely not there any more."""
        assert_no_transaction("removing artifacts")
        store = await self._opened()

        async def one(key: str) -> bool:
            try:
                if self._folder is not None:
                    # What a process that was killed had begun to write lies beside it.
                    await asyncio.to_thread(_remove_file, self._folder / key)
                else:
                    await obstore.delete_async(store, key)
            except FileNotFoundError:
                return True
            except (BaseError, OSError):
                return False
            return True

        gone = await asyncio.gather(*(one(key) for key in keys))
        return [key for key, done in zip(keys, gone, strict=True) if done]

    async def presigned(self, key: str, expires_in_s: int) -> str:
        """A link to the bucket itself, which expires.

        Raises:
            ArtifactStoreUnavailable: No credentials can be had.
        """
        assert_no_transaction("signing a link")
        assert self._s3 is not None  # noqa: S101 - see `serves`
        try:
            return await obstore.sign_async(self._s3, "GET", key, timedelta(seconds=expires_in_s))
        except (BaseError, OSError) as error:
            raise _unavailable(error) from error

    def path(self, key: str) -> Path | None:
        """The file of an object, where Stead serves it and it is there."""
        if self._folder is None:
            return None
        found = self._folder / key
        return found if found.is_file() else None

    async def _opened(self) -> LocalStore | S3Store:
        if self._s3 is not None:
            return self._s3
        if self._local is None:
            assert self._folder is not None  # noqa: S101 - one of the two
            await asyncio.to_thread(self._folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            self._local = LocalStore(self._folder)
        return self._local


def disposition(name: str) -> str:
    """The header with which a browser saves a file under its name, and never shows it (RFC 6266).

    Args:
        name: Any text without control characters.
    """
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{_quoted(name)}"


def _quoted(name: str) -> str:
    kept = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
    return "".join(chr(b) if b in kept else f"%{b:02X}" for b in name.encode())


def _s3(config: ArtifactConfig, bucket: str) -> S3Store:
    plain = config.endpoint is not None and config.endpoint.startswith("http://")
    given = {
        "endpoint": config.endpoint,
        "access_key_id": config.access_key_id,
        "secret_access_key": config.secret_access_key,
    }
    return S3Store(
        bucket,
        # Path style: what speaks S3 elsewhere has no host name for each bucket.
        config={
            "region": config.region,
            "virtual_hosted_style_request": False,
            **{name: value for name, value in given.items() if value is not None},  # type: ignore[typeddict-item]
        },
        client_options={
            "allow_http": plain,
            "timeout": timedelta(seconds=config.timeout_s),
            "connect_timeout": timedelta(seconds=5),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
    )


def _remove_file(path: Path) -> None:
    if path.parent.is_dir():
        for begun in path.parent.glob(f"{path.name}#*"):
            begun.unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _unavailable(error: Exception) -> ArtifactStoreUnavailable:
    # Its text may have the request in it, with keys and signatures.
    return ArtifactStoreUnavailable(
        f"the bucket answered with {type(error).__name__}",
        hint="Look at STEAD_ARTIFACTS_URL, its credentials and the bucket.",
    )
