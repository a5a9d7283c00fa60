"""The built-in embedder: its space, its edges, its manners in a process."""

from __future__ import annotations

import asyncio
import hashlib
import math
import subprocess
import sys

import pytest

from stead.db.context import in_transaction
from stead.providers.embedders.static import DIMENSIONS, FOLDER, INLINE_TEXTS, StaticEmbedder

PAIRS = [
    ("I moved to Lisbon last spring", "Where does the user live now?", "The mattress has a broken coil"),
    ("My daughter is allergic to peanuts", "food allergies in the family", "the driver needs an update"),
    ("The invoice must be paid by Friday", "payment deadline", "a walk along the beach"),
    ("The customer wants a refund", "give the money back to the buyer", "the choir sings on Sunday"),
    ("She plays the violin in an orchestra", "hobbies: music", "quarterly tax report"),
    ("I work as a nurse in a hospital", "the user's profession", "a recipe for lemon cake"),
]


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


@pytest.fixture
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


@pytest.mark.parametrize(("statement", "question", "other"), PAIRS)
async def test_similar_texts_are_nearer_than_others(
    embedder: StaticEmbedder, statement: str, question: str, other: str
) -> None:
    a, b, c = await embedder.embed([statement, question, other])
    assert cosine(a, b) > cosine(c, b) + 0.05


async def test_vectors_have_length_one_and_the_stated_size(embedder: StaticEmbedder) -> None:
    vectors = await embedder.embed(["a", "two words", "x" * 50_000, "日本語", "don't\nbreak"])
    assert {len(vector) for vector in vectors} == {embedder.dimensions} == {DIMENSIONS}
    assert all(math.isclose(math.hypot(*vector), 1.0, rel_tol=1e-6) for vector in vectors)


async def test_texts_that_say_nothing_share_a_vector_that_is_near_nothing(
    embedder: StaticEmbedder,
) -> None:
    empty, space, unknown, text = await embedder.embed(["", " \n\t", "🦄", "The invoice is due"])
    assert empty == space == unknown
    assert math.hypot(*empty) == 1.0
    assert abs(cosine(empty, text)) < 0.2


async def test_no_texts_give_no_vectors(embedder: StaticEmbedder) -> None:
    assert await embedder.embed([]) == []


async def test_many_texts_give_what_each_gives_alone(embedder: StaticEmbedder) -> None:
    texts = [f"sentence number {i} is about topic {i * 7}" for i in range(INLINE_TEXTS * 3)]
    together = await embedder.embed(texts)
    for i in (0, INLINE_TEXTS, len(texts) - 1):
        alone = (await embedder.embed([texts[i]]))[0]
        assert cosine(together[i], alone) == pytest.approx(1.0, abs=1e-6)


async def test_calls_may_overlap(embedder: StaticEmbedder) -> None:
    many = [f"a sentence about subject {i}" for i in range(INLINE_TEXTS * 10)]
    few = many[:3]
    wanted = await embedder.embed(few)
    *large, small = await asyncio.gather(
        *(embedder.embed(many) for _ in range(4)), StaticEmbedder().embed(few)
    )
    assert small == wanted
    assert large[0] == large[1] == large[2] == large[3]


async def test_it_may_be_called_inside_a_transaction(embedder: StaticEmbedder) -> None:
    token = in_transaction.set(True)
    try:
        assert embedder.local
        assert len(await embedder.embed(["text"])) == 1
    finally:
        in_transaction.reset(token)


def test_the_weights_are_those_of_the_notice() -> None:
    digest = hashlib.sha256((FOLDER / "model.safetensors").read_bytes()).hexdigest()
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    assert digest in notice
    assert "Apache License, Version 2.0" in notice


def test_importing_loads_no_library_and_embedding_prints_nothing() -> None:
    program = """if True:
        import asyncio, sys
        from stead.providers.embedders import EmbedderConfig, build_embedder
        loaded = {"model2vec", "tokenizers", "openai", "fastembed", "numpy"} & set(sys.modules)
        assert not loaded, loaded
        embedder = build_embedder("static", EmbedderConfig())
        asyncio.run(embedder.embed(["text"] * 200))
        assert "huggingface_hub" not in sys.modules
    """
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
