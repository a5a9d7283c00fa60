"""Guarded actions: what a tenant allows, who has to agree, and what was learned from it.

Owns ``guardrails`` and ``objectives`` (001) and, privately, versions of policies, decisions, counters of what was
begun and spent, and learned trust. What always holds: every rule is asked, and the strictest decides; a rule that
fails or lacks a fact, and a policy that cannot be read, never allow; nothing that a model says of itself loosens
anything; a policy changes only by a new version.
"""

from stead.governance import objectives, policies
from stead.governance.decisions import (
    Decided,
    Stage,
    decided,
    inputs_of,
    plain_reason,
    read_inputs,
    record,
)
from stead.governance.document import DEFAULT_POLICY, PolicyDocument, policy_of, read_policy
from stead.governance.errors import (
    ObjectiveUnknown,
    PolicyChanged,
    PolicyInvalid,
    PolicyVersionUnknown,
)
from stead.governance.evaluating import evaluate
from stead.governance.housekeeping import sweep
from stead.governance.judging import Judgement, count_begun, judge, policies_of
from stead.governance.models import RISKS, VERDICTS, Action, Decision, Facts, Reason, Risk, Verdict
from stead.governance.objectives import NewObjective, Objective
from stead.governance.policies import StoredPolicy, try_action
from stead.governance.policy import Handling, Policy
from stead.governance.replaying import MAX_REPLAYED, Change, Replay, replay
from stead.governance.suggesting import Suggestion, suggest
from stead.governance.trust import Lesson, Outcome, learn

__all__ = [
    "DEFAULT_POLICY",
    "MAX_REPLAYED",
    "RISKS",
    "VERDICTS",
    "Action",
    "Change",
    "Decided",
    "Decision",
    "Facts",
    "Handling",
    "Judgement",
    "Lesson",
    "NewObjective",
    "Objective",
    "ObjectiveUnknown",
    "Outcome",
    "Policy",
    "PolicyChanged",
    "PolicyDocument",
    "PolicyInvalid",
    "PolicyVersionUnknown",
    "Reason",
    "Replay",
    "Risk",
    "Stage",
    "StoredPolicy",
    "Suggestion",
    "Verdict",
    "count_begun",
    "decided",
    "evaluate",
    "inputs_of",
    "judge",
    "learn",
    "objectives",
    "plain_reason",
    "policies",
    "policies_of",
    "policy_of",
    "read_inputs",
    "read_policy",
    "record",
    "replay",
    "suggest",
    "sweep",
    "try_action",
]
