"""Code by rule: files that compile and show what the wireframe says, and no more."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from stead.apps.forge.offline import LABEL
from stead.apps.forge.planning import Plan, PlannedFile, component_name
from stead.apps.forge.protocol import CodeGenerationResult, WireframeSpec

#: Words of JavaScript, where a prop is a variable.
_RESERVED: Final = frozenset(
    {"await", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
     "delete", "do", "else", "enum", "export", "extends", "false", "finally", "for", "function",
     "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "package",
     "private", "protected", "public", "return", "static", "super", "switch", "this", "throw",
     "true", "try", "typeof", "var", "void", "while", "with", "yield", "arguments", "eval"}
)  # fmt: skip


def code(file: PlannedFile, planned: Plan, spec: WireframeSpec) -> CodeGenerationResult:
    """One file of a plan."""
    written = {
        "page": _page,
        "component": _component,
        "state": _state,
        "theme": _theme,
    }[file.kind](file, planned)
    return CodeGenerationResult(
        file_path=file.path,
        code=written,
        language=file.language,
        explanation=f"{LABEL} A {file.kind} by rule from the wireframe of {len(spec.site_map)} pages.",
    )


def _page(file: PlannedFile, planned: Plan) -> str:
    there = {other.name for other in planned.files if other.kind == "component"}
    used = [
        name
        for component in file.about["components"]
        if (name := component_name(component["name"])) in there
    ]
    used = list(dict.fromkeys(used))
    imports = "".join(f'import {{ {name} }} from "@/components/{name}";\n' for name in used)
    parts = "".join(f"      <{name} />\n" for name in used)
    return (
        f"// {LABEL} by rule; no model was asked.\n{imports}\n"
        f"export default function {file.name}() {{\n"
        "  return (\n"
        "    <main>\n"
        f"      <h1>{_text(file.about['path'])}</h1>\n"
        f"      <p>{_text(file.about['description'])}</p>\n"
        f"{parts}"
        "    </main>\n"
        "  );\n"
        "}\n"
    )


def _component(file: PlannedFile, planned: Plan) -> str:
    del planned
    props = [p for prop in file.about["props"] if (p := _identifier(prop))]
    props = list(dict.fromkeys(props))
    fields = "".join(f"  {prop}?: unknown;\n" for prop in props)
    shown = "".join(
        f'      <dt>{_text(prop)}</dt>\n      <dd>{{String({prop} ?? "")}}</dd>\n' for prop in props
    )
    return (
        f"// {LABEL} by rule; no model was asked.\n"
        f"export interface {file.name}Props {{\n{fields}}}\n\n"
        f"export function {file.name}({{ {', '.join(props)} }}: {file.name}Props) {{\n"
        "  return (\n"
        f"    <dl aria-label={{{_string(file.name)}}}>\n"
        f"{shown}"
        "    </dl>\n"
        "  );\n"
        "}\n"
    )


def _state(file: PlannedFile, planned: Plan) -> str:
    del planned
    needs = "".join(f"  {_string(need)},\n" for need in file.about)
    return (
        f"// {LABEL} by rule; no model was asked.\n"
        f"export const sharedState = [\n{needs}] as const;\n\n"
        "export type SharedState = (typeof sharedState)[number];\n"
    )


def _theme(file: PlannedFile, planned: Plan) -> str:
    del planned
    colours = [colour for colour in file.about if re.fullmatch(r"#[0-9A-Fa-f]{3,8}", colour)]
    lines = "".join(f"  --colour-{n}: {colour};\n" for n, colour in enumerate(colours, 1))
    return f"/* {LABEL} by rule; no model was asked. */\n:root {{\n{lines}}}\n"


def _string(value: Any) -> str:
    """A string literal of TypeScript, in which nothing can end the script or the literal."""
    return json.dumps(str(value)).replace("<", "\\u003c")


def _text(value: Any) -> str:
    """Text within JSX, which nothing that somebody wrote can end."""
    return f"{{{_string(value)}}}"


def _identifier(text: str) -> str:
    """The name of a prop as TypeScript takes it; what follows a colon is its type."""
    name = component_name(text.partition(":")[0])
    name = name[:1].lower() + name[1:]
    return f"{name}Value" if name in _RESERVED else name
