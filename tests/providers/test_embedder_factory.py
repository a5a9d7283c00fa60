"""From names to embedders."""

from __future__ import annotations

import sys

import pytest

from stead.db.context import in_transaction
from stead.providers.embedders import (
    EmbedderConfig,
    EmbedderNotConfigured,
    EmbedderUnknown,
    build_embedder,
)

CONFIG = EmbedderConfig(openai_api_key="sk-test")


@pytest.mark.parametrize(
    ("name", "model_id", "dimensions", "local"),
    [
        ("static", "static/minilm-256", 256, True),
        ("openai/text-embedding-3-small", "openai/text-embedding-3-small@1536", 1536, False),
        ("openai/text-embedding-3-large", "openai/text-embedding-3-large@3072", 3072, False),
        ("openai/text-embedding-3-large@1024", "openai/text-embedding-3-large@1024", 1024, False),
        (
            "openai/vendor/text-embedding-3-small",
            "openai/vendor/text-embedding-3-small@1536",
            1536,
            False,
        ),
        ("openai/@cf/baai/bge-m3@1024", "openai/@cf/baai/bge-m3@1024", 1024, False),
        ("fastembed/BAAI/bge-small-en-v1.5", "fastembed/BAAI/bge-small-en-v1.5", 384, False),
    ],
)
async def test_a_name_makes_an_embedder(name: str, model_id: str, dimensions: int, local: bool) -> None:
    embedder = build_embedder(name, CONFIG)
    assert (embedder.model_id, embedder.dimensions, embedder.local) == (model_id, dimensions, local)
    await embedder.aclose()


@pytest.mark.parametrize(
    "name", ["", "Static", "static/", "static/other", "openai", "openai/", "fastembed/", "word2vec/x"]
)
def test_an_unknown_name_is_told_what_is_allowed(name: str) -> None:
    with pytest.raises(EmbedderUnknown) as caught:
        build_embedder(name, CONFIG)
    assert all(kind in caught.value.hint for kind in ("static", "openai/<model>", "fastembed/<model>"))


@pytest.mark.parametrize(
    "name",
    [
        "openai/bge-m3",
        "openai/bge-m3@many",
        "openai/bge-m3@0",
        "openai/bge-m3@99999",
        "openai/text-embedding-3-small@3072",
        "openai/text-embedding-ada-002@256",
    ],
)
def test_a_size_must_be_known_and_possible(name: str) -> None:
    with pytest.raises(EmbedderUnknown, match="vectors"):
        build_embedder(name, CONFIG)


async def test_openai_needs_a_key_and_another_server_does_not() -> None:
    with pytest.raises(EmbedderNotConfigured) as caught:
        build_embedder("openai/text-embedding-3-small", EmbedderConfig())
    assert "OPENAI_API_KEY" in caught.value.hint
    config = EmbedderConfig(openai_base_url="http://127.0.0.1:9/v1")
    await build_embedder("openai/text-embedding-3-small", config).aclose()


def test_the_key_is_not_shown() -> None:
    assert "sk-test" not in repr(CONFIG)


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastembed", None)
    with pytest.raises(EmbedderNotConfigured) as caught:
        build_embedder("fastembed/BAAI/bge-small-en-v1.5", CONFIG)
    assert "stead[fastembed]" in caught.value.hint


def test_fastembed_lists_its_models() -> None:
    with pytest.raises(EmbedderUnknown) as caught:
        build_embedder("fastembed/nobody/nothing", CONFIG)
    assert "BAAI/bge-small-en-v1.5" in caught.value.hint


async def test_fastembed_keeps_out_of_transactions_and_needs_no_model_for_blank_texts() -> None:
    embedder = build_embedder("fastembed/BAAI/bge-small-en-v1.5", CONFIG)
    (blank,) = await embedder.embed([" "])
    assert (len(blank), sum(blank)) == (384, 1.0)
    token = in_transaction.set(True)
    try:
        with pytest.raises(RuntimeError, match="transaction"):
            await embedder.embed(["text"])
    finally:
        in_transaction.reset(token)
