"""The dashboard and the alert rules name nothing but what a worker exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY

from stead.outbox import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "outbox.json").read_text(encoding="utf-8"))
RULES: dict[str, Any] = yaml.safe_load(
    (DEPLOY / "prometheus" / "outbox.rules.yml").read_text(encoding="utf-8")
)
ALL_RULES = [rule for group in RULES["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in ALL_RULES if "record" in rule}


def _exported() -> dict[str, set[str]]:
    """Names of series, each with its labels, as `/metrics` has them."""
    # What was never counted has no series yet.
    metrics.begun(["t"])
    metrics.held([("t", "c")])
    metrics.settled([("t", "retry", "c")])
    metrics.took(1)
    metrics.depths({("t", "pending"): 1, ("t", "dlq"): 1})
    found: dict[str, set[str]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    queries = [v["query"]["query"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query"]
    return [*panels, *queries, *(rule["expr"] for rule in ALL_RULES)]


def test_each_metric_and_label_is_exported() -> None:
    exported = _exported()
    named: set[str] = set()
    for expression in _expressions():
        names = set(re.findall(r"\boutbox_[a-z_]+", expression))
        assert names, expression
        assert names <= exported.keys(), expression
        named |= names
        for name, selector in re.findall(r"\b(outbox_[a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)\s*=~?", selector)) <= exported[name], expression
        for grouped in re.findall(r"by \(([a-z, ]+)\)", expression):
            labels = {label.strip() for label in grouped.split(",")}
            assert labels <= set().union(*(exported[name] for name in names)), expression
    # All that 001 names is shown.
    assert named >= {
        "outbox_processed_total",
        "outbox_processing_duration_seconds_bucket",
        "outbox_dlq_size",
        "outbox_retry_total",
        "outbox_attempts_total",
        "outbox_failures_total",
        "outbox_conflicts_total",
    }


def test_the_rate_of_001_is_recorded_and_shown() -> None:
    assert {"outbox_processed_per_minute"} == RECORDED
    assert any("outbox_processed_per_minute" in panel["title"] for panel in DASHBOARD["panels"])


def test_rules_and_panels_are_whole() -> None:
    alerts = [rule for rule in ALL_RULES if "alert" in rule]
    assert len(alerts) == len({rule["alert"] for rule in alerts}) >= 5
    for rule in alerts:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} <= rule["annotations"].keys()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for rule in _expressions():
        assert rule.count("(") == rule.count(")")
        assert rule.count("{") == rule.count("}")


def test_each_metric_is_documented() -> None:
    page = (DEPLOY.parent / "docs" / "how-to" / "run-the-outbox.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(outbox_[a-z_]+)", page, re.MULTILINE))
    ours = {name for name in _exported() if name.startswith("outbox_")}
    base = {re.sub(r"_(bucket|sum|count)$", "", name) for name in ours if not name.endswith("_created")}
    assert documented == base
