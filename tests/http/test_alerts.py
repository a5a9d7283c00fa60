"""The alert rules of the edge name nothing but what a server exports."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import yaml
from prometheus_client import REGISTRY

from stead.http import middleware, suspicions

FILE = Path(__file__).parents[2] / "deploy" / "prometheus" / "http.rules.yml"
RULES: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]


def test_each_metric_label_and_kind_is_exported() -> None:
    # What was never counted has no series yet.
    middleware.REFUSALS.labels("rate_limited").inc(0)
    middleware.REQUESTS.labels("GET", "/", "200").inc(0)
    suspicions.SUSPECTED.labels("flood").inc(0)
    exported: dict[str, set[str]] = {}
    for family in REGISTRY.collect():
        for sample in family.samples:
            exported.setdefault(sample.name, set()).update(sample.labels)
    named: set[str] = set()
    for rule in ALERTS:
        for name, selector in re.findall(r"\b(stead_[a-z_]+)(?:\{([^}]*)\})?", rule["expr"]):
            labels = dict(re.findall(r"(\w+)=~?\"([^\"]*)\"", selector))
            assert labels.keys() <= exported[name], rule["alert"]
            assert set("|".join(labels.values()).split("|")) - {""} <= set(get_args(suspicions.Kind))
            named.add(name)
    assert named >= {"stead_http_refusals_total", "stead_http_suspected_total"}


def test_alerts_are_whole() -> None:
    assert len(ALERTS) == len({rule["alert"] for rule in ALERTS})
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert {"summary", "description"} <= rule["annotations"].keys()
