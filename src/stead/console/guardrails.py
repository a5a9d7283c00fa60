"""The policy that holds, its versions, and the switch that stops everything."""

from __future__ import annotations

from typing import Any, Final, cast

from fastapi import APIRouter, Response

from stead.console.dependencies import Posted, Viewer
from stead.console.errors import FormInvalid, PageStale
from stead.console.pages import elsewhere
from stead.console.routing import PageRoute
from stead.governance import PolicyChanged, policies

router = APIRouter(prefix="/console/guardrails", route_class=PageRoute)
_VERSIONS: Final = 20


@router.get("")
async def show(operator: Viewer) -> Response:
    """For everybody of the tenant; the switch is the service's."""
    who = operator.principal
    who.require_scope("guardrails")
    async with operator.db.transaction(who.served(), read_only=True) as tx:
        policy = await policies.get(tx, who)
        versions = await policies.history(tx, who, limit=_VERSIONS)
    return operator.page(
        "guardrails.html",
        policy=policy,
        versions=versions,
        stopped=bool(_switch(policy.policy).get("all")),
    )


@router.post("/kill-switch")
async def switch(operator: Viewer, form: Posted) -> Response:
    """On or off, as a new version of the policy that the page showed."""
    operator.need("guardrails")
    who = operator.principal
    wanted = form.text("all", most=3)
    if wanted not in {"on", "off"}:
        raise FormInvalid("all: on or off")
    if form.text("confirm", most=3) != "yes":
        raise FormInvalid("confirm: tick the box", hint="It is for the whole organisation.")
    expected = form.number("version", least=0, most=2_147_483_647)
    async with operator.db.transaction(who) as tx:
        policy = await policies.get(tx, who)
        document = {
            **policy.policy,
            "kill_switch": {**_switch(policy.policy), "all": wanted == "on"},
        }
        try:
            await policies.put(
                tx, who, document, expected=expected, reason=form.text("reason", most=500) or None
            )
        except PolicyChanged as error:
            raise PageStale(error.detail, hint="Look at it again.") from error
    return elsewhere(f"/console/guardrails?done={'stopped' if wanted == 'on' else 'released'}")


def _switch(document: Any) -> dict[str, Any]:
    found = document.get("kill_switch")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
