"""How well an agent fits what somebody looks for: a sum of factors, each with its reason.

A pure function: the same facts give the same score, in any process and at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Final
from uuid import UUID

from stead.apps.marketplace.errors import FitWeightsInvalid

#: What an agent gets for a factor of which nothing is known: neither praise nor blame.
_NEUTRAL: Final = 0.5
#: After so many years experience counts a half.
_HALF_YEARS: Final = 5
_MAX_WEIGHT: Final = 1000.0


@dataclass(frozen=True, kw_only=True)
class FitWeights:
    """What each factor counts for, beside the others. 0 leaves one out.

    Args:
        similarity: Likeness of the agent's profile to the goal.
        success_rate: The share of its work that succeeded.
        rating: What others gave it.
        experience: Years.
        price: Whether it costs what was asked for.
        memory: Likeness to what is remembered of the person, and how earlier work with the agent went.
    """

    similarity: float = 0.35
    success_rate: float = 0.15
    rating: float = 0.15
    experience: float = 0.1
    price: float = 0.15
    memory: float = 0.1

    def changed(self, weights: Mapping[str, float]) -> FitWeights:
        """These weights with some of them replaced.

        Raises:
            FitWeightsInvalid: One is unknown, negative or above 1,000, or nothing is left.
        """
        known = [f.name for f in fields(self)]
        for name, weight in weights.items():
            if name not in known:
                raise FitWeightsInvalid(
                    f"{name[:40]!r} is no factor", hint=f"There are: {', '.join(known)}."
                )
            if not 0 <= weight <= _MAX_WEIGHT:
                raise FitWeightsInvalid(f"{name}: must be between 0 and 1000")
        values = {**asdict(self), **weights}
        if not any(values.values()):
            raise FitWeightsInvalid("all weights are 0", hint="Leave at least one above it.")
        return FitWeights(**values)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of one agent when it is scored.

    Args:
        similarity: Likeness of its profile to the goal, 0 to 1, where 1 is the nearest of the catalogue.
        base_rate: What it costs.
        affinity: Likeness of its profile to what is remembered of the person, likewise.
        runs: How often it has worked for the person.
        ups: Answers that the person found good.
        downs: Answers that the person found bad.
    """

    similarity: float
    pricing_model: str | None = None
    base_rate: float | None = None
    rating: float | None = None
    experience_years: int | None = None
    success_rate: float | None = None
    industries: Sequence[str] = ()
    affinity: float | None = None
    runs: int = 0
    ups: int = 0
    downs: int = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What all agents are held against.

    Args:
        max_price: What the person wants to pay; None: nothing was said.
        pricing_model: How they want to pay.
        industries: Where the person is at home.
        known: Whether the person is: something is remembered of them, or one of the agents has worked for them.
        memory_ids: What is remembered of them and bears on the goal.
    """

    max_price: float | None = None
    pricing_model: str | None = None
    industries: Sequence[str] = ()
    known: bool = False
    memory_ids: Sequence[UUID] = ()


@dataclass(frozen=True, kw_only=True)
class Factor:
    """A part of a score.

    Args:
        name: As in `FitWeights`.
        weight: Its share of all that counts, 0 to 1.
        value: 0 to 1.
        points: What it gives: weight times value, of 100.
        reason: Why, for the person to read.
        memory_ids: What is remembered that speaks here.
    """

    name: str
    weight: float
    value: float
    points: float
    reason: str
    memory_ids: Sequence[UUID] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How well an agent fits: 0 to 100, and what that is the sum of, the weightiest first."""

    fit_score: float
    factors: list[Factor]

    @property
    def rationale(self) -> list[str]:
        """The reasons."""
        return [factor.reason for factor in self.factors]


def score(facts: Facts, asked: Asked, weights: FitWeights) -> Score:
    """How well one agent fits.

    What nobody asked for and what nobody could be known by (a price without a budget, memory of somebody
    unknown) counts for no agent; what is only not known of this agent counts a half.

    Args:
        facts: Of the agent.
        asked: What is looked for, the same for all that are compared.
        weights: What each factor counts for.
    """
    shares = asdict(weights)
    parts: dict[str, tuple[float, str]] = {
        "similarity": _similarity(facts, asked),
        "success_rate": _success(facts),
        "rating": _rating(facts),
        "experience": _experience(facts),
    }
    if asked.max_price is not None or asked.pricing_model is not None:
        parts["price"] = _price(facts, asked)
    if asked.known:
        parts["memory"] = _memory(facts, asked)
    total = sum(shares[name] for name in parts)
    factors: list[Factor] = []
    for name, (value, reason) in parts.items():
        if shares[name] == 0:
            continue
        weight = shares[name] / total
        factors.append(
            Factor(
                name=name,
                weight=round(weight, 4),
                value=round(value, 4),
                points=round(100 * weight * value, 2),
                reason=reason,
                memory_ids=tuple(asked.memory_ids) if name == "memory" else (),
            )
        )
    factors.sort(key=lambda factor: -factor.points)
    fit = sum(100 * shares[name] / total * value for name, (value, _) in parts.items()) if total else 0.0
    return Score(fit_score=round(min(max(fit, 0.0), 100.0), 2), factors=factors)


def _similarity(facts: Facts, asked: Asked) -> tuple[float, str]:
    value = min(max(facts.similarity, 0.0), 1.0)
    common = sorted({*map(str.lower, facts.industries)} & {*map(str.lower, asked.industries)})
    if common:
        # An industry in common is a fact; likeness of texts is a guess.
        value = min(1.0, value + 0.1)
        return value, f"Works in your industry ({', '.join(common[:3])}); {_likeness(value)}"
    return value, _capital(_likeness(value))


def _likeness(value: float) -> str:
    if value >= 0.75:
        return "its profile is among the closest to what you look for"
    if value >= 0.4:
        return "its profile is related to what you look for"
    return "its profile has little to do with what you look for"


def _success(facts: Facts) -> tuple[float, str]:
    if facts.success_rate is None:
        return _NEUTRAL, "No success rate is known yet"
    return _unit(facts.success_rate / 100), f"{_number(facts.success_rate)}% of its work succeeded"


def _rating(facts: Facts) -> tuple[float, str]:
    if facts.rating is None:
        return _NEUTRAL, "Nobody has rated it yet"
    return _unit((facts.rating - 1) / 4), f"Rated {_number(facts.rating)} of 5"


def _experience(facts: Facts) -> tuple[float, str]:
    if facts.experience_years is None:
        return _NEUTRAL, "How long it has done this is not known"
    years = facts.experience_years
    return years / (years + _HALF_YEARS), f"{years} year{'' if years == 1 else 's'} of experience"


def _price(facts: Facts, asked: Asked) -> tuple[float, str]:
    value, reason = _NEUTRAL, "It says no price"
    if asked.max_price is None:
        value, reason = 1.0, "Its price was not asked about"
    elif facts.base_rate is not None:
        over = facts.base_rate - asked.max_price
        if over <= 0:
            value, reason = 1.0, f"{_number(facts.base_rate)} is within your budget"
        else:
            # Nothing is left at twice the budget.
            value = _unit(1 - over / asked.max_price) if asked.max_price > 0 else 0.0
            reason = f"{_number(facts.base_rate)} is {_number(over)} above your budget"
    wanted = asked.pricing_model
    if wanted is None:
        return value, reason
    if facts.pricing_model == wanted:
        return value, f"Paid as you want ({wanted})" + ("" if asked.max_price is None else f"; {reason}")
    known = facts.pricing_model or "not known"
    return value / 2, f"Not paid as you want ({wanted}) but: {known}" + (
        "" if asked.max_price is None else f"; {reason}"
    )


def _memory(facts: Facts, asked: Asked) -> tuple[float, str]:
    value = _NEUTRAL if facts.affinity is None else _unit(facts.affinity)
    reason = "Nothing is remembered that speaks for or against it"
    if facts.affinity is not None:
        count = len(asked.memory_ids)
        near = "Close to" if value >= 0.4 else "Not close to"
        reason = f"{near} what is remembered of you ({count} thing{'' if count == 1 else 's'})"
    judged = facts.ups + facts.downs
    if judged:
        # Half of what counts is what the person said of its work; one answer says less than many.
        liked = (facts.ups + 1) / (judged + 2)
        value = (value + liked) / 2
        reason += f"; you rated {facts.ups} of {judged} answers of it up"
    elif facts.runs:
        reason += f"; it has worked for you {facts.runs} time{'' if facts.runs == 1 else 's'}"
    return _unit(value), reason


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
