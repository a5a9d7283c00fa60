"""A structured answer described by a JSON Schema that came from a row, not from a type."""

from __future__ import annotations

import json
from typing import Any

from agents.agent_output import AgentOutputSchemaBase
from agents.exceptions import ModelBehaviorError
from jsonschema import Draft202012Validator
from typing_extensions import override


class JsonSchemaOutput(AgentOutputSchemaBase):
    """Asks the model for JSON of this schema and checks what it gives."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._validator = Draft202012Validator(schema)

    @override
    def is_plain_text(self) -> bool:
        return False

    @override
    def name(self) -> str:
        return str(self._schema.get("title", "answer"))

    @override
    def json_schema(self) -> dict[str, Any]:
        return self._schema

    @override
    def is_strict_json_schema(self) -> bool:
        # The provider's strict mode takes a subset of JSON Schema; the answer is checked here either way.
        return False

    @override
    def validate_json(self, json_str: str) -> Any:
        try:
            value = json.loads(json_str)
        except ValueError as error:
            raise ModelBehaviorError("the answer is not JSON") from error
        if not self._validator.is_valid(value):  # pyright: ignore[reportUnknownMemberType]
            raise ModelBehaviorError("the answer does not follow the schema")
        return value


class UncheckedOutput(JsonSchemaOutput):
    """Asks for JSON of this schema and takes what comes: for whoever tells the model what is wrong with it."""

    @override
    def validate_json(self, json_str: str) -> Any:
        return json_str
