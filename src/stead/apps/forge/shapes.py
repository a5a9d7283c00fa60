"""Documents beside 004's: what agents ask each other for on the way, and what a job's result is made of."""

from __future__ import annotations

from pydantic import Field

from stead.apps.forge.protocol import ClarificationQuestion, Document, QAResult


class Clarifications(Document):
    """What the research agent would like to know; nothing where the idea is clear."""

    questions: list[ClarificationQuestion] = Field(..., max_length=3)


class MentorAnswer(Document):
    """What the mentor says, and which concepts it is about."""

    answer: str = Field(..., min_length=1, max_length=4000)
    concepts: list[str] = Field(..., max_length=5)


class WrittenFile(Document):
    """A file as the code agent left it; its content is in ``project_files``."""

    file_path: str
    language: str
    explanation: str
    version: int


class CodeSummary(Document):
    """What the code agent did.

    Args:
        skipped: What the wireframe has beyond the files of one run.
    """

    files: list[WrittenFile]
    skipped: list[str]


class PipelineSummary(Document):
    """What the pipeline did.

    Args:
        repairs: How often code was mended after a review.
        status: The project's, at the end.
    """

    app_name: str
    pages: int
    files: list[WrittenFile]
    skipped: list[str]
    qa: QAResult
    repairs: int
    status: str
