"""What threshold of trust the past suggests (001's guardrail learning). It is never applied by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from stead import knowledge
from stead.db import Transaction
from stead.governance import policies, queries
from stead.governance.document import read_policy
from stead.governance.trust import WEIGHTS, Outcome, bound
from stead.identity import Principal
from stead.providers.embedders import Embedder

#: A threshold is never suggested outside of these.
LOWEST: Final = 0.3
HIGHEST: Final = 0.95
#: Nor further than this from the one that holds.
STEP: Final = 0.1
#: With fewer actions than this nothing is loosened.
ENOUGH: Final = 10
_SIMILAR: Final = 50
_LATEST: Final = 500
#: Less alike than this is another matter.
_ALIKE: Final = 0.3
#: What counts where words are the same and there is no vector yet.
_BY_WORDS: Final = 0.3


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A threshold, and why.

    Args:
        current: What holds.
        suggested: What the past speaks for, within `lowest` and `highest`.
        lowest: The least that may be suggested now.
        highest: The most.
        basis: ``similar``: actions alike what was asked about; ``latest``: the tenant's latest.
        considered: How many actions or outcomes were looked at.
        outcomes: What became of them.
        trust: How far they speak for it, 0 to 1 (`stead.governance.trust.bound`).
        explanation: For a person.
    """

    current: float
    suggested: float
    lowest: float
    highest: float
    basis: Literal["similar", "latest"]
    considered: int
    outcomes: Mapping[str, int]
    trust: float
    explanation: str


async def suggest(
    tx: Transaction,
    principal: Principal,
    *,
    embedder: Embedder,
    about: str | None = None,
    vector: Sequence[float] | None = None,
    tool: str | None = None,
) -> Suggestion:
    """What threshold of trust the outcomes of past actions speak for.

    Args:
        tx: A transaction of the tenant's service.
        principal: The tenant's service.
        embedder: The model of `vector`.
        about: What an action is about: those alike are looked for among past proposals. None: the latest outcomes.
        vector: The embedding of `about`, made before the transaction; None: by words alone.
        tool: Only actions with this tool.

    Raises:
        PolicyInvalid: The policy that holds cannot be read.
    """
    current = read_policy((await policies.get(tx, principal)).policy).trust_threshold
    if about is None:
        rows = await queries.said_lately(tx, principal.tenant.id, tool, _LATEST)
        said = [(1.0, _read([row["outcome"]])) for row in rows]
    else:
        said = await _similar(tx, principal, embedder, about, vector, tool)
    return _weigh(current, said, basis="latest" if about is None else "similar")


async def _similar(
    tx: Transaction,
    principal: Principal,
    embedder: Embedder,
    about: str,
    vector: Sequence[float] | None,
    tool: str | None,
) -> list[tuple[float, list[Outcome]]]:
    hits = await knowledge.search(
        tx,
        "evidence",
        principal.tenant.id,
        about,
        embedder=embedder,
        vector=vector,
        limit=_SIMILAR,
        facet="proposal",
    )
    alike = {hit.owner_id: _BY_WORDS if hit.dense is None else hit.dense for hit in hits}
    rows = await queries.said_of(tx, principal.tenant.id, [hit.owner_id for hit in hits])
    return [
        (min(alike[row["id"]], 1.0), _read(row["outcomes"]))
        for row in rows
        if alike[row["id"]] >= _ALIKE and row["outcomes"] and tool in {None, row["tool"]}
    ]


def _read(outcomes: Sequence[str]) -> list[Outcome]:
    return [cast("Outcome", each) for each in outcomes]


def _weigh(
    current: float,
    said: Sequence[tuple[float, Sequence[Outcome]]],
    *,
    basis: Literal["similar", "latest"],
) -> Suggestion:
    """The threshold that outcomes, each with how much it counts, speak for."""
    weights = [alike * WEIGHTS[outcome] for alike, outcomes in said for outcome in outcomes]
    trust = bound(sum(w for w in weights if w > 0), -sum(w for w in weights if w < 0))
    wanted = HIGHEST - (HIGHEST - LOWEST) * trust
    lowest = max(min(LOWEST, current), current - STEP) if len(said) >= ENOUGH else current
    highest = min(max(HIGHEST, current), current + STEP)
    suggested = round(min(max(wanted, lowest), highest), 2) if said else current
    counted = Counter(outcome for _, outcomes in said for outcome in outcomes)
    return Suggestion(
        current=current,
        suggested=suggested,
        lowest=lowest,
        highest=highest,
        basis=basis,
        considered=len(said),
        outcomes={name: counted[name] for name in WEIGHTS},
        trust=trust,
        explanation=_explain(current, suggested, len(said), trust),
    )


def _explain(current: float, suggested: float, considered: int, trust: float) -> str:
    if not considered:
        return "Nothing of the kind was approved, rejected or carried out yet: the threshold stays."
    speaks = f"{considered} past outcomes speak for it with {trust:.2f} of 1"
    if suggested > current:
        return f"{speaks}: ask for more trust, {suggested:.2f} in place of {current:.2f}."
    if suggested < current:
        return f"{speaks}: {suggested:.2f} in place of {current:.2f} would do. Nothing changes until you set it."
    if considered < ENOUGH:
        return f"{speaks}; fewer than {ENOUGH} never loosen anything: the threshold stays."
    return f"{speaks}: the threshold stays."
