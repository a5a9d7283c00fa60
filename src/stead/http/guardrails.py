"""Guardrails and objectives (001): read by everybody of the tenant, written by its service."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from stead import governance
from stead.governance import NewObjective, policies
from stead.http.dependencies import (
    Caller,
    OnceOnly,
    Reading,
    Seeing,
    ServiceCaller,
    Writing,
    needs_scope,
    parts_of,
)
from stead.http.errors import MembersOnly, RequestInvalid
from stead.http.guardrail_bodies import (
    DecisionOut,
    ObjectiveOut,
    PolicyOut,
    PutPolicy,
    ReplayOut,
    ReplayPolicy,
    SaveObjective,
    SuggestionOut,
    Tool,
    TryAction,
)
from stead.http.routing import JsonRoute
from stead.identity import Principal

router = APIRouter(
    route_class=JsonRoute,
    prefix="/v1",
    tags=["guardrails"],
    dependencies=[needs_scope("guardrails")],
)
_SINCE: Final = timedelta(days=7)
_MAX_ABOUT_CHARS: Final = 4000


async def _member(principal: Caller) -> Principal:
    if principal.kind == "anonymous":
        raise MembersOnly("sign in, or use an API key")
    return principal


Member = Annotated[Principal, Depends(_member)]


def _expected(if_match: str | None) -> int | None:
    """The version that If-Match names; None: any."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = re.fullmatch(r'"?([0-9]{1,9})"?', if_match.strip())
    if match is None:
        raise RequestInvalid("If-Match is no version", hint='Send the ETag of GET /v1/guardrails: "3".')
    return int(match[1])


@router.get("/guardrails", summary="The policy that holds")
async def show(principal: Member, tx: Reading, response: Response) -> PolicyOut:
    """What agents of the tenant may do. Its version is the ETag."""
    found = await policies.get(tx, principal)
    response.headers["etag"] = f'"{found.version}"'
    return PolicyOut.model_validate(found)


@router.put("/guardrails", summary="Set the policy")
async def put(
    body: PutPolicy,
    principal: ServiceCaller,
    tx: Writing,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=100)] = None,
) -> PolicyOut:
    """Makes a new version; what is left out is as it is by default. With If-Match only on top of that version."""
    made = await policies.put(
        tx, principal, body.policy.json_value(), expected=_expected(if_match), reason=body.reason
    )
    response.headers["etag"] = f'"{made.version}"'
    return PolicyOut.model_validate(made)


@router.get("/guardrails/versions", summary="Versions of the policy")
async def versions(
    principal: Member,
    tx: Seeing,
    before: Annotated[int | None, Query(ge=1, le=2_147_483_647)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[PolicyOut]:
    """The latest first, with who made them and why."""
    found = await policies.history(tx, principal, before=before, limit=limit)
    return [PolicyOut.model_validate(each) for each in found]


@router.post("/guardrails/test", summary="What would be decided")
async def try_action(body: TryAction, principal: Member, tx: Seeing) -> DecisionOut:
    """By the policy that holds, or by a proposed one. Nothing is kept."""
    made = await governance.try_action(
        tx,
        principal,
        body.action.value(principal.tenant.id, principal.key),
        body.facts.value(),
        proposed=None if body.policy is None else governance.policy_of(body.policy),
        at=body.at,
    )
    return DecisionOut.of(made)


@router.post("/guardrails/replay", summary="What another policy would have decided")
async def replay(body: ReplayPolicy, principal: ServiceCaller, tx: Seeing) -> ReplayOut:
    """Makes past decisions again with a proposed policy, from what was known then."""
    since = body.since or datetime.now(UTC) - _SINCE
    found = await governance.replay(
        tx, principal, governance.policy_of(body.policy), since=since, limit=body.limit
    )
    return ReplayOut.of(found, since)


@router.get("/guardrails/suggestions", summary="A threshold that the past speaks for")
async def suggestions(
    request: Request,
    principal: ServiceCaller,
    about: Annotated[str | None, Query(min_length=1, max_length=_MAX_ABOUT_CHARS)] = None,
    tool: Annotated[Tool | None, Query()] = None,
) -> SuggestionOut:
    """From the outcomes of actions alike, or of the latest ones. It is never applied by itself."""
    parts = parts_of(request)
    embedder = parts.runtime.embedder
    vector = None if about is None else (await embedder.embed([about]))[0]
    async with parts.db.transaction(principal.served()) as tx:
        found = await governance.suggest(
            tx, principal, embedder=embedder, about=about, vector=vector, tool=tool
        )
    return SuggestionOut.model_validate(found)


@router.get("/objectives", summary="List objectives")
async def list_objectives(principal: Member, tx: Reading) -> list[ObjectiveOut]:
    """What the tenant wants to reach, the latest first."""
    found = await governance.objectives.listing(tx, principal)
    return [ObjectiveOut.model_validate(each) for each in found]


@router.post("/objectives", status_code=201, response_model=ObjectiveOut, summary="Make an objective")
async def create_objective(
    body: SaveObjective, principal: ServiceCaller, tx: Writing, once: OnceOnly
) -> Response:
    """Takes an Idempotency-Key."""
    if again := await once.before(tx, principal):
        return again
    made = await governance.objectives.create(tx, principal, NewObjective(**body.model_dump()))
    return await once.after(tx, principal, ObjectiveOut.model_validate(made), 201)


@router.get("/objectives/{objective_id}", summary="One objective")
async def show_objective(objective_id: UUID, principal: Member, tx: Reading) -> ObjectiveOut:
    """As it stands."""
    return ObjectiveOut.model_validate(await governance.objectives.get(tx, principal, objective_id))


@router.put("/objectives/{objective_id}", summary="Change an objective")
async def change_objective(
    objective_id: UUID, body: SaveObjective, principal: ServiceCaller, tx: Writing
) -> ObjectiveOut:
    """All of it; what is left out is empty."""
    wanted = NewObjective(**body.model_dump())
    return ObjectiveOut.model_validate(
        await governance.objectives.change(tx, principal, objective_id, wanted)
    )


@router.delete("/objectives/{objective_id}", status_code=204, summary="Delete an objective")
async def delete_objective(objective_id: UUID, principal: ServiceCaller, tx: Writing) -> Response:
    """For good."""
    await governance.objectives.delete(tx, principal, objective_id)
    return Response(status_code=204)
