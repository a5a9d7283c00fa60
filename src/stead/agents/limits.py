"""Limits of runs and of the process that carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field

from stead.evidence import HistoryBudget
from stead.memory import InjectionBudget


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Limits of a run.

    Args:
        model: The model of agents that name none.
        max_turns: Model calls at most, tools between them.
        max_retries: Tries after the first for a call that failed before it began to answer.
        call_timeout_s: For one model call.
        run_timeout_s: For the whole run.
    """

    model: str = "offline"
    max_turns: int = 10
    max_retries: int = 3
    call_timeout_s: float = 300.0
    run_timeout_s: float = 900.0


@dataclass(frozen=True, kw_only=True)
class RuntimeConfig:
    """Limits of this process.

    Args:
        history: How much of past proposals and outcomes.
        history_messages: How much of the conversation the model sees.
        max_runs: Runs at once.
        beat_s: How often this process says that it lives.
        silent_s: After how long of silence its runs are rescued by others.
        patience_s: How long a run waits for an action that is under way, before it gives its place up.
        memory_model: Who reads finished conversations for what is worth remembering; None: the rules alone.
    """

    loop: LoopConfig = field(default_factory=LoopConfig)
    budget: InjectionBudget = field(default_factory=InjectionBudget)
    history: HistoryBudget = field(default_factory=HistoryBudget)
    history_messages: int = 40
    max_runs: int = 500
    beat_s: float = 2.0
    silent_s: float = 10.0
    patience_s: float = 30.0
    memory_model: str | None = None
