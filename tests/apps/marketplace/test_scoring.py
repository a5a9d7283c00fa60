"""The score is a pure function of figures that it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stead.apps.marketplace.errors import FitWeightsInvalid
from stead.apps.marketplace.scoring import Asked, Facts, FitWeights, score
from stead.core.ids import new_id

shares = st.floats(0, 1)
facts = st.builds(
    Facts,
    similarity=shares,
    pricing_model=st.none() | st.sampled_from(["hourly", "subscription"]),
    base_rate=st.none() | st.floats(0, 1e6),
    rating=st.none() | st.floats(1, 5),
    experience_years=st.none() | st.integers(0, 100),
    success_rate=st.none() | st.floats(0, 100),
    affinity=st.none() | shares,
    runs=st.integers(0, 1000),
    ups=st.integers(0, 100),
    downs=st.integers(0, 100),
)
asked = st.builds(
    Asked,
    max_price=st.none() | st.floats(0, 1e6),
    pricing_model=st.none() | st.just("hourly"),
    known=st.booleans(),
)
weights = st.builds(
    FitWeights, similarity=st.floats(0.01, 1000), price=st.floats(0, 1000), memory=st.floats(0, 1000)
)


@given(facts, asked, weights)
def test_a_score_is_the_sum_of_its_factors(f: Facts, a: Asked, w: FitWeights) -> None:
    found = score(f, a, w)

    assert 0 <= found.fit_score <= 100
    assert found.fit_score == pytest.approx(sum(x.points for x in found.factors), abs=0.05)
    assert sum(x.weight for x in found.factors) == pytest.approx(1, abs=0.001)
    assert all(0 <= x.value <= 1 and x.reason for x in found.factors)
    assert found.rationale == [x.reason for x in found.factors]
    assert score(f, a, w) == found


@given(facts, asked)
def test_more_of_what_counts_is_never_worse(f: Facts, a: Asked) -> None:
    better = Facts(**{**vars_of(f), "similarity": 1.0, "rating": 5.0, "success_rate": 100.0})

    assert score(better, a, FitWeights()).fit_score >= score(f, a, FitWeights()).fit_score


def vars_of(f: Facts) -> dict[str, object]:
    return {name: getattr(f, name) for name in Facts.__dataclass_fields__}


def factor(f: Facts, a: Asked, name: str) -> tuple[float, str]:
    (found,) = [x for x in score(f, a, FitWeights()).factors if x.name == name]
    return found.value, found.reason


def names(f: Facts, a: Asked, w: FitWeights | None = None) -> set[str]:
    return {x.name for x in score(f, a, w or FitWeights()).factors}


def test_what_nobody_asked_for_counts_for_nobody() -> None:
    nothing = Facts(similarity=0.5)

    assert names(nothing, Asked()) == {"similarity", "success_rate", "rating", "experience"}
    assert "price" in names(nothing, Asked(max_price=10))
    assert "price" in names(nothing, Asked(pricing_model="hourly"))
    assert "memory" in names(nothing, Asked(known=True))
    assert names(nothing, Asked(), FitWeights().changed({"rating": 0})) == {
        "similarity",
        "success_rate",
        "experience",
    }


def test_what_is_not_known_of_an_agent_counts_a_half() -> None:
    for name in ("success_rate", "rating", "experience", "price"):
        assert factor(Facts(similarity=0), Asked(max_price=1), name)[0] == 0.5


@pytest.mark.parametrize(
    ("rate", "budget", "value", "reason"),
    [
        (50, 60, 1, "50 is within your budget"),
        (60, 60, 1, "60 is within your budget"),
        (75, 50, 0.5, "75 is 25 above your budget"),
        (100, 50, 0, "100 is 50 above your budget"),
        (1, 0, 0, "1 is 1 above your budget"),
        (0, 0, 1, "0 is within your budget"),
    ],
)
def test_prices(rate: float, budget: float, value: float, reason: str) -> None:
    assert factor(Facts(similarity=0, base_rate=rate), Asked(max_price=budget), "price") == (
        value,
        reason,
    )


def test_how_somebody_wants_to_pay() -> None:
    hourly = Facts(similarity=0, pricing_model="hourly", base_rate=10)

    assert factor(hourly, Asked(pricing_model="hourly"), "price") == (1, "Paid as you want (hourly)")
    value, reason = factor(hourly, Asked(pricing_model="subscription", max_price=20), "price")
    assert value == 0.5
    assert "hourly" in reason
    assert "within your budget" in reason


def test_ratings_and_experience() -> None:
    known = Facts(similarity=0, rating=5, success_rate=92.5, experience_years=5)

    assert factor(known, Asked(), "rating") == (1, "Rated 5 of 5")
    assert factor(known, Asked(), "success_rate") == (0.925, "92.5% of its work succeeded")
    assert factor(known, Asked(), "experience") == (0.5, "5 years of experience")
    assert factor(Facts(similarity=0, rating=1), Asked(), "rating")[0] == 0


def test_an_industry_in_common_is_said() -> None:
    there = Facts(similarity=0.5, industries=["fintech", "health"])

    value, reason = factor(there, Asked(industries=["FinTech"]), "similarity")

    assert value == pytest.approx(0.6)
    assert "fintech" in reason
    assert "industry" not in factor(there, Asked(industries=["farming"]), "similarity")[1]


def test_what_the_person_said_of_earlier_work_counts() -> None:
    who = Asked(known=True, memory_ids=[new_id()])
    liked = factor(Facts(similarity=0, affinity=0.5, ups=9), who, "memory")
    disliked = factor(Facts(similarity=0, affinity=0.5, downs=9), who, "memory")
    new = factor(Facts(similarity=0, affinity=0.5), who, "memory")

    assert liked[0] > new[0] > disliked[0]
    assert "9 of 9" in liked[1]
    assert "0 of 9" in disliked[1]
    assert "1 thing)" in new[1]


def test_a_reason_has_the_ids_of_memories() -> None:
    one = new_id()
    found = score(Facts(similarity=0, affinity=1), Asked(known=True, memory_ids=[one]), FitWeights())

    assert {x.name: list(x.memory_ids) for x in found.factors if x.memory_ids} == {"memory": [one]}


@pytest.mark.parametrize(
    "given",
    [{"charm": 1.0}, {"price": -1.0}, {"price": 1001.0}, {"price": float("nan")}],
)
def test_weights_that_give_no_score_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(FitWeightsInvalid):
        FitWeights().changed(given)
    with pytest.raises(FitWeightsInvalid):
        FitWeights().changed(dict.fromkeys(FitWeights.__dataclass_fields__, 0.0))
