"""A policy as JSON: what a tenant writes, checked as a whole, and every fault told at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_validator,
)

from stead.governance.errors import PolicyInvalid
from stead.governance.models import RISKS, Risk
from stead.governance.names import PATTERN, Names
from stead.governance.policy import (
    TIER_VERDICTS,
    Ceilings,
    KillSwitch,
    Policy,
    Tier,
    TierVerdict,
    ToolRule,
)
from stead.governance.quiet_hours import QuietHours

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Name = Annotated[str, Field(pattern=PATTERN)]
#: Kept as text in JSON, so that no digit of it is lost.
Amount = Annotated[
    Decimal, Field(ge=0, max_digits=18, decimal_places=4), PlainSerializer(str, return_type=str)
]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Wall = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QuietException(_Part):
    """Days on which quiet hours are other ones."""

    first: date = Field(alias="from", examples=["2026-12-24"])
    last: date = Field(alias="to", examples=["2026-12-26"])
    quiet: Literal["always", "never"]

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _in_order(self) -> QuietException:
        if not self.first <= self.last:
            raise ValueError("`from` is after `to`")
        if (self.last - self.first).days > 366:
            raise ValueError("more than a year: use the kill switch")
        return self


class QuietHoursDocument(_Part):
    """Quiet hours: between two times of day of the tenant's time zone, on some days of the week."""

    start: Wall | None = None
    end: Wall | None = None
    days: list[Weekday] = Field(default_factory=lambda: list(_DAYS), max_length=7)
    exceptions: list[QuietException] = Field(default_factory=list[QuietException], max_length=200)
    applies_to: list[Risk] = Field(default_factory=lambda: list(RISKS[1:]), min_length=1, max_length=4)

    @model_validator(mode="after")
    def _makes_sense(self) -> QuietHoursDocument:
        if (self.start is None) != (self.end is None):
            raise ValueError("`start` and `end` go together")
        if self.start is not None and self.start == self.end and len(set(self.days)) == len(_DAYS):
            raise ValueError("it would be quiet all the time: use the kill switch")
        lowest = min(RISKS.index(each) for each in self.applies_to)
        if set(self.applies_to) != set(RISKS[lowest:]):
            raise ValueError(
                f"a higher tier is left out, so that raising the risk would loosen: {', '.join(RISKS[lowest:])}"
            )
        return self

    def value(self) -> QuietHours:
        """As the evaluator reads it."""
        return QuietHours(
            start=None if self.start is None else time.fromisoformat(self.start),
            end=None if self.end is None else time.fromisoformat(self.end),
            days=frozenset(_DAYS.index(each) for each in self.days),
            applies_to=frozenset(self.applies_to),
            always=tuple((e.first, e.last) for e in self.exceptions if e.quiet == "always"),
            never=tuple((e.first, e.last) for e in self.exceptions if e.quiet == "never"),
        )


class TierDocument(_Part):
    """How actions of one risk are treated."""

    verdict: TierVerdict = "deny"
    quorum: int = Field(default=1, ge=1, le=10)
    max_attempts: int = Field(default=5, ge=1, le=100)
    backoff_s: float = Field(default=2.0, ge=0, le=86_400, allow_inf_nan=False)
    approval_ttl_s: int = Field(default=86_400, ge=60, le=2_592_000)


class TiersDocument(_Part):
    """A tier for each risk."""

    low: TierDocument = TierDocument(verdict="allow", max_attempts=8, backoff_s=1.0)
    medium: TierDocument = TierDocument(verdict="allow")
    high: TierDocument = TierDocument(verdict="approval", max_attempts=3, backoff_s=5.0)
    critical: TierDocument = TierDocument(
        verdict="approval", quorum=2, max_attempts=2, backoff_s=10.0, approval_ttl_s=14_400
    )

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, given: Any) -> Any:
        """What a tier leaves out is as it is in this tier by default."""
        if not isinstance(given, dict):
            return given
        said = cast("dict[str, Any]", given)
        return {
            name: {**cls.model_fields[name].default.model_dump(), **cast("dict[str, Any]", tier)}
            if name in cls.model_fields and isinstance(tier, dict)
            else tier
            for name, tier in said.items()
        }

    @model_validator(mode="after")
    def _rise(self) -> TiersDocument:
        rising = [self.low, self.medium, self.high, self.critical]
        for below, above, name in zip(rising, rising[1:], RISKS[1:], strict=False):
            if TIER_VERDICTS.index(above.verdict) < TIER_VERDICTS.index(below.verdict):
                raise ValueError(f"`{name}` is milder than the tier below it")
            if above.quorum < below.quorum:
                raise ValueError(f"`{name}` needs fewer people than the tier below it")
        return self


class ToolDocument(_Part):
    """What is stricter for some tools than their tier."""

    tools: list[Name] = Field(min_length=1, max_length=200, examples=[["payments.*"]])
    verdict: TierVerdict | None = None
    quorum: int | None = Field(default=None, ge=1, le=10)
    trust_threshold: Share | None = None
    require_evidence: bool = False
    per_action_amount: Amount | None = None
    max_attempts: int | None = Field(default=None, ge=1, le=100)
    approval_ttl_s: int | None = Field(default=None, ge=60, le=2_592_000)

    def value(self) -> ToolRule:
        """As the evaluator reads it."""
        return ToolRule(
            tools=Names.of(self.tools),
            verdict=self.verdict,
            quorum=self.quorum,
            trust_threshold=self.trust_threshold,
            require_evidence=self.require_evidence,
            per_action_amount=self.per_action_amount,
            max_attempts=self.max_attempts,
            approval_ttl_s=self.approval_ttl_s,
        )


class CeilingsDocument(_Part):
    """How much at most."""

    per_minute: int | None = Field(default=None, ge=0, le=1_000_000)
    per_hour: int | None = Field(default=None, ge=0, le=10_000_000)
    per_day_amount: Amount | None = None
    per_action_amount: Amount | None = None


class KillSwitchDocument(_Part):
    """What must not run at all."""

    all: bool = False
    tools: list[Name] = Field(default_factory=list[Name], max_length=1000)
    providers: list[Name] = Field(default_factory=list[Name], max_length=100)


class PolicyDocument(_Part):
    """A tenant's policy. What is left out is as it is by default."""

    time_zone: str = Field(default="UTC", min_length=1, max_length=100, examples=["Europe/Lisbon"])
    quiet_hours: QuietHoursDocument | None = None
    trust_threshold: Share = 0.5
    trust_from: Risk = "medium"
    confidence_floor: Share = 0.3
    scopes: list[Name] = Field(default_factory=lambda: ["*"], max_length=1000)
    require_evidence: bool | Risk = False
    tiers: TiersDocument = TiersDocument()
    ceilings: CeilingsDocument = CeilingsDocument()
    tools: list[ToolDocument] = Field(default_factory=list[ToolDocument], max_length=1000)
    kill_switch: KillSwitchDocument = KillSwitchDocument()

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception as error:  # what it raises depends on what the name does to a path
            raise ValueError(
                "there is no such time zone: use an IANA name, such as Europe/Lisbon"
            ) from error
        return value

    def json_value(self) -> dict[str, Any]:
        """As JSON values, everything spelt out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def read_policy(document: object, version: int = 0) -> Policy:
    """A policy from JSON values.

    Args:
        document: An object; what it leaves out is as it is by default.
        version: Its version.

    Raises:
        PolicyInvalid: It cannot be read; the error's `problems` name every field, what is the matter with it and
            how to mend it.
    """
    try:
        return policy_of(PolicyDocument.model_validate(document), version)
    except ValidationError as error:
        problems = [
            _problem(cast("Mapping[str, Any]", each)) for each in error.errors(include_url=False)
        ]
        raise PolicyInvalid(
            "; ".join(f"{each['field']}: {each['problem']}" for each in problems[:5]),
            hint=problems[0]["hint"],
            problems=problems,
        ) from None


def policy_of(document: PolicyDocument, version: int = 0) -> Policy:
    """The policy that a checked document says."""
    plain = document.json_value()
    evidence = document.require_evidence
    return Policy(
        version=version,
        time_zone=document.time_zone,
        quiet_hours=None if document.quiet_hours is None else document.quiet_hours.value(),
        trust_threshold=document.trust_threshold,
        trust_from=document.trust_from,
        confidence_floor=document.confidence_floor,
        scopes=Names.of(document.scopes),
        require_evidence_from=(RISKS[0] if evidence else None)
        if isinstance(evidence, bool)
        else evidence,
        tiers={risk: Tier(**getattr(document.tiers, risk).model_dump()) for risk in RISKS},
        ceilings=Ceilings(
            per_minute=document.ceilings.per_minute,
            per_hour=document.ceilings.per_hour,
            per_day_amount=document.ceilings.per_day_amount,
            per_action_amount=document.ceilings.per_action_amount,
        ),
        tools=tuple(each.value() for each in document.tools),
        kill_switch=KillSwitch(
            everything=document.kill_switch.all,
            tools=Names.of(document.kill_switch.tools),
            providers=Names.of(document.kill_switch.providers),
        ),
        document=plain,
        digest=hashlib.sha256(
            json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        ).hexdigest(),
    )


#: Of a tenant that has none of its own.
DEFAULT_POLICY: Final = policy_of(PolicyDocument())

_HINTS: Final = {
    "extra_forbidden": "Leave it out; `stead guardrails show` lists the fields there are.",
    "missing": "Add it.",
    "string_pattern_mismatch": "Times are HH:MM; names may end with one `*`.",
    "literal_error": "Use one of the values named.",
}


def _problem(error: Mapping[str, Any]) -> dict[str, str]:
    """What is the matter with one field, without what it held."""
    field = ".".join(str(each) for each in error["loc"]) or "policy"
    said = str(error["msg"]).removeprefix("Value error, ")
    return {
        "field": field[:200],
        "problem": said[:300],
        "hint": _HINTS.get(error["type"], "See docs/explanation/guardrails.md for what it takes."),
    }
