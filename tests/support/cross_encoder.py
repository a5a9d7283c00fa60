"""A cross-encoder of a few hundred bytes in the place where fastembed looks for downloaded weights."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

MODEL = "Xenova/ms-marco-MiniLM-L-6-v2"
_INT64, _FLOAT = 7, 1


def put_weights(cache: Path, words: Mapping[str, float]) -> Path:
    """Writes a model whose logit is the sum of its words' weights; a word that it does not know has none.

    Returns:
        The file of the weights.
    """
    hub = cache / f"models--{MODEL.replace('/', '--')}"
    revision = "0" * 40
    folder = hub / "snapshots" / revision
    (folder / "onnx").mkdir(parents=True)
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text(revision)
    vocabulary = ["[PAD]", "[UNK]", *words]
    weights = [0.0, 0.0, *words.values()]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {
            "type": "WordLevel",
            "vocab": {word: at for at, word in enumerate(vocabulary)},
            "unk_token": "[UNK]",
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"model_max_length": 64, "pad_token": "[PAD]"})
    )
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]"}))
    file = folder / "onnx" / "model.onnx"
    file.write_bytes(_onnx(weights))
    return file


def _onnx(weights: list[float]) -> bytes:
    """ONNX as protobuf: Gather(weights, input_ids), summed over the text."""
    table = (
        _number(1, len(weights))
        + _number(1, 1)
        + _number(2, _FLOAT)
        + _field(8, b"weights")
        + _field(9, struct.pack(f"<{len(weights)}f", *weights))
    )
    axes = _number(1, 1) + _number(2, _INT64) + _field(8, b"axes") + _field(9, struct.pack("<q", 1))
    keepdims = _field(1, b"keepdims") + _number(3, 0) + _number(20, 2)
    gather = _field(1, b"weights") + _field(1, b"input_ids") + _field(2, b"found") + _field(4, b"Gather")
    total = (
        _field(1, b"found")
        + _field(1, b"axes")
        + _field(2, b"logits")
        + _field(4, b"ReduceSum")
        + _field(5, keepdims)
    )
    graph = (
        _field(1, gather)
        + _field(1, total)
        + _field(2, b"sum")
        + _field(5, table)
        + _field(5, axes)
        + _field(11, _value("input_ids", _INT64, ["texts", "tokens"]))
        + _field(12, _value("logits", _FLOAT, ["texts", "one"]))
    )
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 13))


def _value(name: str, kind: int, axes: list[str]) -> bytes:
    shape = b"".join(_field(1, _field(2, axis.encode())) for axis in axes)
    tensor = _number(1, kind) + _field(2, shape)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
