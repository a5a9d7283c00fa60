"""Checking the JSON Schema of an agent's structured answer."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from stead.agents.errors import AgentInvalid


def check_schema(schema: dict[str, Any]) -> None:
    """Raises AgentInvalid when this is no JSON Schema of an object."""
    try:
        Draft202012Validator.check_schema(schema)
    except RecursionError:
        raise AgentInvalid("output_schema is nested too deeply") from None
    except SchemaError as error:
        raise AgentInvalid(f"output_schema is no JSON Schema: {error.message}") from error
    if schema.get("type") != "object":
        raise AgentInvalid("output_schema must describe an object", hint='Its "type" is "object".')
