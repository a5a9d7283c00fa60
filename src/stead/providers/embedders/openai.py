"""Embeddings over OpenAI's HTTP interface, from OpenAI or from any server that speaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from openai import APIError, AsyncOpenAI, omit
from openai.types import CreateEmbeddingResponse
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from stead.db.context import assert_no_transaction
from stead.providers.embedders.errors import EmbedderAnswerInvalid
from stead.providers.embedders.openai_failures import ATTEMPTS, failure_of, is_worth_retrying, pause_s
from stead.providers.embedders.vectors import is_blank, unit_rows, with_blanks

BATCH_TEXTS: Final = 256
BATCH_BYTES: Final = 300_000
"""OpenAI takes 300,000 tokens in a request, and no token is shorter than a byte."""

TEXT_BYTES: Final = 8_000
"""OpenAI takes 8,192 tokens in a text. Smaller limits of other servers are theirs to apply."""


class OpenAIEmbedder:
    """A model behind ``POST /embeddings``.

    Args:
        model: The server's name for it.
        dimensions: The length of its vectors.
        shorten: Ask the server for vectors of that length. False for a model that always answers with
            it: many servers refuse the parameter.
        api_key: Sent as bearer token.
        base_url: Up to and including the version, such as ``https://api.openai.com/v1``.
        timeout_s: For one request; each of up to five attempts has it anew.
        sleep: Waits between attempts, in seconds.
    """

    def __init__(
        self,
        *,
        model: str,
        dimensions: int,
        shorten: bool,
        api_key: str,
        base_url: str,
        timeout_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._dimensions = dimensions
        self._shorten = shorten
        self._sleep = sleep
        self._host = urlsplit(base_url).hostname or "the server"
        self._client = AsyncOpenAI(api_key=api_key, base_url=base_url, timeout=timeout_s, max_retries=0)

    @property
    def model_id(self) -> str:
        return f"openai/{self._model}@{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    @property
    def local(self) -> bool:
        return False

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        assert_no_transaction("an embedding request")
        vectors: list[list[float]] = []
        for batch in _batches(_shortened(text) for text in texts if not is_blank(text)):
            vectors += self._checked(batch, await self._ask(batch))
        return with_blanks(texts, vectors, self._dimensions)

    async def aclose(self) -> None:
        await self._client.close()

    async def _ask(self, batch: list[str]) -> CreateEmbeddingResponse:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(is_worth_retrying),
            wait=pause_s,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return await retrying(
                self._client.embeddings.create,
                model=self._model,
                input=batch,
                dimensions=self._dimensions if self._shorten else omit,
            )
        except APIError as error:
            raise failure_of(error, self._host) from error
        except (AttributeError, TypeError, ValueError) as error:
            # The client does not check what it parses: a body of another form fails inside it.
            raise self._invalid("it is not an embeddings response") from error

    def _checked(self, batch: list[str], answer: CreateEmbeddingResponse) -> list[list[float]]:
        """The vectors in the order of the batch. Raises EmbedderAnswerInvalid."""
        if len(answer.data) != len(batch):
            raise self._invalid(f"{len(answer.data)} vectors for {len(batch)} texts")
        found = sorted(answer.data, key=lambda one: one.index)
        if [one.index for one in found] != list(range(len(batch))):
            raise self._invalid("its vectors are not numbered like the texts")
        if wrong := next((one for one in found if len(one.embedding) != self._dimensions), None):
            raise self._invalid(f"vectors of {len(wrong.embedding)} dimensions, not {self._dimensions}")
        rows = np.array([one.embedding for one in found], dtype=np.float64)
        if not np.isfinite(rows).all():
            raise self._invalid("a vector is not finite")
        return unit_rows(rows)

    def _invalid(self, what: str) -> EmbedderAnswerInvalid:
        return EmbedderAnswerInvalid(
            f"the answer of {self._host} for {self._model} is of no use: {what}",
            hint="Check STEAD_EMBEDDER (openai/<model>@<dimensions>) and the base URL.",
        )


def _shortened(text: str) -> str:
    """The text's beginning, in UTF-8 no longer than a text may be."""
    return text[:TEXT_BYTES].encode("utf-8", "replace")[:TEXT_BYTES].decode("utf-8", "ignore")


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in runs that fit one request."""
    batch: list[str] = []
    size_bytes = 0
    for text in texts:
        length_bytes = len(text.encode())
        if batch and (len(batch) == BATCH_TEXTS or size_bytes + length_bytes > BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(text)
        size_bytes += length_bytes
    if batch:
        yield batch
