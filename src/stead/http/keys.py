"""API keys of an organisation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from stead import identity, realtime
from stead.http.dependencies import ServiceCaller, Writing, needs_scope
from stead.http.routing import JsonRoute

router = APIRouter(
    route_class=JsonRoute, prefix="/v1/api-keys", tags=["api keys"], dependencies=[needs_scope("keys")]
)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies beyond the calendar") from None


class CreateKey(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["web backend"])
    scopes: list[str] = Field(default_factory=list[str], max_length=100)
    expires_at: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None


class KeyOut(BaseModel):
    """A key, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A new key, with its text: it is shown this once."""

    key: str


@router.post("", response_model=NewKeyOut, status_code=201)
async def create_key(body: CreateKey, caller: ServiceCaller, tx: Writing) -> NewKeyOut:
    """Makes a key. It may do no more than the key that makes it."""
    for scope in body.scopes:
        caller.require_scope(scope)
    scopes = body.scopes or sorted(caller.scopes)
    key, text = await identity.keys.create(
        tx, caller, name=body.name, scopes=scopes, expires_at=body.expires_at
    )
    return NewKeyOut(**KeyOut.model_validate(key).model_dump(), key=text)


@router.get("", response_model=list[KeyOut])
async def list_keys(caller: ServiceCaller, tx: Writing) -> list[KeyOut]:
    """All keys, newest first."""
    return [KeyOut.model_validate(key) for key in await identity.keys.list_all(tx, caller)]


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, caller: ServiceCaller, tx: Writing) -> Response:
    """Ends a key at once, and within seconds what it follows."""
    await identity.keys.revoke(tx, caller, key_id)
    await realtime.tell_revoked(tx)
    return Response(status_code=204)
