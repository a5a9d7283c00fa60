"""Models that do the work of Forge's agents: a document for each shape that is asked for, and a count of calls."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from tests.servers.script import Reply

IDEA = "A CRM for dog walkers that keeps clients and their dogs, plans walks in a calendar, and sends an invoice"

REQUIREMENTS: dict[str, Any] = {
    "app_name": "Pawlog",
    "elevator_pitch": "A small CRM for dog walkers: clients, dogs, walks and invoices in one place.",
    "target_audience": [
        {"role": "Dog walker", "goal": "Plan the week", "pain_point": "Walks are written on paper"}
    ],
    "core_features": [
        {"name": "Clients", "description": "Keep clients and their dogs.", "priority": "must-have"},
        {"name": "Invoices", "description": "Send an invoice a month.", "priority": "should-have"},
    ],
    "recommended_stack": ["Next.js", "PostgreSQL"],
    "technical_constraints": None,
}
WIREFRAME: dict[str, Any] = {
    "site_map": [
        {
            "path": "/",
            "description": "The week",
            "components": [{"name": "WeekCalendar", "props": ["walks"], "children": []}],
        },
        {
            "path": "/clients/:id",
            "description": "A client",
            "components": [
                {"name": "ClientCard", "props": ["client"], "children": ["DogList"]},
                {"name": "WeekCalendar", "props": ["walks"], "children": []},
            ],
        },
    ],
    "global_state_needs": ["signed-in user"],
    "theme_colors": ["#112233"],
}
#: The files of that wireframe.
PLANNED = [
    "src/app/page.tsx",
    "src/app/clients/[id]/page.tsx",
    "src/lib/state.ts",
    "src/app/theme.css",
    "src/components/WeekCalendar.tsx",
    "src/components/ClientCard.tsx",
]
PASSED: dict[str, Any] = {"passed": True, "issues": [], "summary": "Nothing stands in the way."}
CHOICES: dict[str, Any] = {
    "context": "How walks are stored.",
    "options": [
        {
            "id": name,
            "title": name.title(),
            "pros": ["one"],
            "cons": ["two"],
            "difficulty": "beginner",
            "educational_value": "Tables.",
        }
        for name in ("table", "document")
    ],
    "recommendation": "A table.",
}
ROADMAP: dict[str, Any] = {
    "title": "Build Pawlog",
    "description": "Step by step.",
    "skill_level": "beginner",
    "modules": [
        {
            "title": title,
            "description": "…",
            "steps": [f"{title} {n}" for n in range(1, steps + 1)],
            "estimated_hours": 4,
            "prerequisites": [],
        }
        for title, steps in (("Tables", 2), ("Pages", 3))
    ],
    "total_estimated_hours": 8,
}


def broken(path: str) -> dict[str, Any]:
    """A review that finds something critical in one file."""
    issue = {
        "severity": "critical",
        "description": f"{path}: it does not compile",
        "suggestion": "Mend it.",
    }
    return {"passed": False, "issues": [issue], "summary": "One file is broken."}


class ForgeModel:
    """Answers requests by the shape that they ask for: `OpenAIServer(reply_for=ForgeModel())`.

    Args:
        questions: What the research agent asks back.
    """

    def __init__(self, questions: list[dict[str, Any]] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        """Requests by shape; for code by shape and path."""
        self.bodies: list[tuple[str, Any]] = []
        self.scripted: dict[str, deque[Any]] = {}
        self._questions = questions or []

    def __call__(self, body: Any) -> Reply:
        shape, said = shape_of(body), said_in(body)
        documents: dict[str, Callable[[], Any]] = {
            "Clarifications": lambda: {"questions": self._questions},
            "RequirementsDoc": lambda: REQUIREMENTS,
            "WireframeSpec": lambda: WIREFRAME,
            "CodeGenerationResult": lambda: code_for(said),
            "QAResult": lambda: PASSED,
            "ChoiceFramework": lambda: CHOICES,
            "LearningRoadmap": lambda: ROADMAP,
            "MentorAnswer": lambda: {"answer": "What does a row stand for?", "concepts": ["tables"]},
        }
        path = block(said, "file")["path"] if shape == "CodeGenerationResult" else ""
        self.calls[f"{shape} {path}".strip()] += 1
        self.bodies.append((shape, body))
        waiting = self.scripted.get(shape)
        found = waiting.popleft() if waiting else documents[shape]()
        if isinstance(found, Reply):
            return found
        return Reply(text=[found if isinstance(found, str) else json.dumps(found)])

    def script(self, shape: str, *answers: Any) -> None:
        """What the next requests for a shape are answered: documents, texts, or replies."""
        self.scripted.setdefault(shape, deque()).extend(answers)

    def last(self, shape: str) -> str:
        """All that the last request for a shape said to the model, instructions too."""
        return json.dumps(next(body for name, body in reversed(self.bodies) if name == shape))


def code_for(said: str) -> dict[str, Any]:
    """The file that is asked for; another one each time it is mended."""
    file = block(said, "file")
    mended = "<issues>" in said
    return {
        "file_path": file["path"],
        "code": f"// {file['path']}{' mended' if mended else ''}\nexport default 1;\n",
        "language": "typescript",
        "explanation": "It is a file.",
    }


def block(said: str, name: str) -> Any:
    """The data between the markers of that name."""
    found = re.search(rf"<{name}>\n(.*?)\n</{name}>", said, re.DOTALL)
    assert found is not None, f"no {name} in what was said"
    return json.loads(found[1])


def shape_of(body: Any) -> str:
    """The title of the schema that a request asks for, in whichever vendor's form."""
    if "output_config" in body:
        return body["output_config"]["format"]["schema"]["title"]
    if "text" in body:
        return body["text"]["format"]["schema"]["title"]
    return body["response_format"]["json_schema"]["schema"]["title"]


def said_in(body: Any) -> str:
    """What users said in a request."""
    items = body.get("input", body.get("messages"))
    return "\n".join(str(item["content"]) for item in items if item.get("role") == "user")
