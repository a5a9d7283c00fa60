"""What ``celery -A stead.celery_app worker`` runs: jobs that Celery delivers, by the handlers of ``STEAD_APP``."""

from __future__ import annotations

from typing import Any

from stead.assembly.fleet import celery_workers


def __getattr__(name: str) -> Any:
    # Made when Celery asks for it: whoever only looks through modules needs no broker.
    if name != "app":
        raise AttributeError(name)
    made = celery_workers()
    globals()["app"] = made
    return made
