"""Reranking over HTTP, in the form that Cohere, Jina and many servers of open models share."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt

from stead.db.context import assert_no_transaction
from stead.providers.rerankers.errors import RerankerAnswerInvalid
from stead.providers.rerankers.http_failures import (
    ATTEMPTS,
    StatusError,
    failure_of,
    is_worth_retrying,
    pause_s,
)
from stead.providers.rerankers.scores import is_blank, with_blanks

BATCH_TEXTS: Final = 100
"""Texts are scored one by one, so that scores of several requests compare."""

TEXT_BYTES: Final = 8_000
QUESTION_BYTES: Final = 4_000
ANSWER_BYTES: Final = 8_000_000
"""Servers that repeat the texts in their answer stay below this."""


class HttpReranker:
    """A model behind ``POST /rerank``.

    Args:
        model: The server's name for it.
        url: The endpoint.
        api_key: Sent as bearer token, if there is one.
        timeout_s: For one request; each of up to three attempts has it anew.
        sleep: Waits between attempts, in seconds.
    """

    def __init__(
        self,
        *,
        model: str,
        url: str,
        api_key: str | None,
        timeout_s: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._url = url
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._host = urlsplit(url).hostname or "the server"
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout_s)

    @property
    def model_id(self) -> str:
        return f"http/{self._model}"

    async def score(self, question: str, texts: Sequence[str]) -> list[float]:
        assert_no_transaction("a rerank request")
        asked = _shortened(question, QUESTION_BYTES)
        if is_blank(asked):
            return [0.0] * len(texts)
        scores: list[float] = []
        for batch in _batches([_shortened(text, TEXT_BYTES) for text in texts if not is_blank(text)]):
            scores += self._checked(await self._ask(asked, batch), len(batch))
        return with_blanks(texts, scores)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _ask(self, question: str, batch: list[str]) -> bytes:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(is_worth_retrying),
            wait=pause_s,
            sleep=self._sleep,
            reraise=True,
        )
        body = {"model": self._model, "query": question, "documents": batch, "top_n": len(batch)}
        try:
            return await retrying(self._post, body)
        except (StatusError, httpx.HTTPError, TimeoutError) as error:
            raise failure_of(error, self._host) from error

    async def _post(self, body: dict[str, Any]) -> bytes:
        # httpx's time-outs are between two bytes; a server that drips would never meet one.
        async with (
            asyncio.timeout(self._timeout_s),
            self._client.stream("POST", self._url, json=body) as response,
        ):
            if response.status_code != 200:
                raise StatusError(response.status_code, response.headers)
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > ANSWER_BYTES:
                    raise self._invalid(f"it is longer than {ANSWER_BYTES} bytes")
            return bytes(answer)

    def _checked(self, answer: bytes, count: int) -> list[float]:
        """The scores in the order of the batch. Raises RerankerAnswerInvalid."""
        try:
            parsed: Any = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise self._invalid("it is not JSON") from error
        results = _member(parsed, "results")
        if not isinstance(results, list):
            raise self._invalid("it has no list of results")
        scores: list[float | None] = [None] * count
        for one in cast("list[object]", results):
            index = _member(one, "index")
            if type(index) is not int or not 0 <= index < count or scores[index] is not None:
                raise self._invalid("its results are not numbered like the texts")
            score = _number(_member(one, "relevance_score"))
            if score is None:
                raise self._invalid("a score is not a number")
            scores[index] = score
        found = [score for score in scores if score is not None]
        if len(found) != count:
            raise self._invalid(f"{len(found)} scores for {count} texts")
        return found

    def _invalid(self, what: str) -> RerankerAnswerInvalid:
        return RerankerAnswerInvalid(
            f"the answer of {self._host} for {self._model} is of no use: {what}",
            hint="Check STEAD_RERANKER (http/<model>) and STEAD_RERANKER_URL.",
        )


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _number(value: object) -> float | None:
    """A finite number, or nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # of a whole number that no float reaches
        return None
    return number if math.isfinite(number) else None


def _shortened(text: str, most_bytes: int) -> str:
    """The text's beginning, in UTF-8 no longer than given."""
    return text[:most_bytes].encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore")


def _batches(texts: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(texts), BATCH_TEXTS):
        yield texts[start : start + BATCH_TEXTS]
