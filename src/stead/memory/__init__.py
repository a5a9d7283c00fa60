"""Long-term memory: what people said and what follows from it, found again when it matters.

Owns ``agent_memories`` and ``memory_logs``, and privately the lexemes for BM25. What always holds: a memory
is in the scope of one person (or of one anonymous session) of one tenant, and the database enforces it;
what was recalled is logged by id and score, never by text; nothing here delays a reply.
"""

from stead.memory.drawing import draw_facts
from stead.memory.facts import Fact, find_facts
from stead.memory.injection import InjectionBudget, as_instructions
from stead.memory.models import Memory, MemoryKind, MemorySource, NewMemory, Recalled, Scores
from stead.memory.recall import Question, RecallWeights, note, note_use, read_question, recall
from stead.memory.remember import Remembered, move_session, prepare, remember
from stead.memory.statements import context_statements
from stead.memory.usage import used

__all__ = [
    "Fact",
    "InjectionBudget",
    "Memory",
    "MemoryKind",
    "MemorySource",
    "NewMemory",
    "Question",
    "RecallWeights",
    "Recalled",
    "Remembered",
    "Scores",
    "as_instructions",
    "context_statements",
    "draw_facts",
    "find_facts",
    "move_session",
    "note",
    "note_use",
    "prepare",
    "read_question",
    "recall",
    "remember",
    "used",
]
