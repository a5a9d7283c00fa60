"""`SteadSession`: a session of the OpenAI Agents SDK on a session of Stead's."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from agents.items import TResponseInputItem
from agents.memory.session import SessionABC
from agents.memory.session_settings import SessionSettings

from stead import sessions
from stead.adapters.errors import AdapterArgumentInvalid
from stead.adapters.openai_items import (
    SdkItem,
    as_input,
    calls_in,
    checked,
    drafts,
    items_of,
    parts_of,
)
from stead.db import Database, Transaction
from stead.identity import Principal
from stead.sessions import Message, SessionEnded

_PAGE: Final = 500
#: How far back the call to an output is looked for.
_CALLS_WITHIN: Final = 40


class SteadSession(SessionABC):
    """The history of a conversation, as ``Runner.run(…, session=…)`` takes it.

    It holds nothing: any number of them, in any number of processes, can stand for the same session. What they add
    at the same time goes one after the other, each call whole.

    Args:
        db: The database.
        principal: Whose session it is: a person, the holder of its token, or a service.
        session_id: A session that there is; `open` makes one.
        session_settings: How many items a run is given, if not all.
    """

    def __init__(
        self,
        db: Database,
        principal: Principal,
        session_id: UUID | str,
        *,
        session_settings: SessionSettings | None = None,
    ) -> None:
        try:
            self._id = UUID(str(session_id))
        except ValueError:
            raise AdapterArgumentInvalid(
                "session_id: is no id of a session", hint="`SteadSession.open` makes a session."
            ) from None
        self._db = db
        self._principal = principal.served()
        self.session_id = str(self._id)
        self.session_settings = session_settings

    @classmethod
    async def open(
        cls,
        db: Database,
        principal: Principal,
        *,
        context: dict[str, Any] | None = None,
        session_settings: SessionSettings | None = None,
    ) -> SteadSession:
        """A new session of that person.

        Args:
            db: The database.
            principal: Who it will belong to.
            context: First answers, as in `stead.sessions`.
            session_settings: How many items a run is given, if not all.
        """
        async with db.transaction(principal.served()) as tx:
            session, _ = await sessions.open_session(tx, principal, context=context)
        return cls(db, principal, session.id, session_settings=session_settings)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """What was said and done, in order.

        Args:
            limit: Only so many of the latest; None: as the settings say, else all.

        Raises:
            SessionUnknown: There is no such session, or it is somebody else's.
        """
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        async with self._db.transaction(self._principal, read_only=True) as tx:
            await sessions.get(tx, self._principal, self._id)
            found = await self._latest(tx, limit)
        return as_input(found)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Adds items at the end: all of them, or none.

        Raises:
            SessionUnknown: There is no such session, or it is somebody else's.
            SessionEnded: It has ended.
            AdapterArgumentInvalid: An item is no JSON.
        """
        new = checked(items)
        if not new:
            return
        async with self._db.transaction(self._principal) as tx:
            session = await sessions.lock(tx, self._principal, self._id)
            if session.status != "in_progress":
                raise SessionEnded(f"the session is {session.status}", hint="Open a new one.")
            calls: dict[str, SdkItem] = {}
            if any(item.get("type") == "function_call_output" for item in new):
                calls = calls_in(await self._last(tx, _CALLS_WITHIN))
            calls |= {str(i.get("call_id")): i for i in new if i.get("type") == "function_call"}
            for draft in drafts(new):
                await sessions.messages.add(
                    tx,
                    self._principal,
                    self._id,
                    role=draft.role,
                    parts=parts_of(draft.items, calls),
                )

    async def pop_item(self) -> TResponseInputItem | None:
        """Takes the last item away, and returns it; None where there is none.

        Raises:
            SessionUnknown: There is no such session, or it is somebody else's.
        """
        async with self._db.transaction(self._principal) as tx:
            await sessions.lock(tx, self._principal, self._id)
            before = sessions.messages.MAX_SEQ + 1
            while page := await self._last(tx, 1, before):
                message = page[0]
                found = items_of(message)
                if found:
                    await self._without_last(tx, message, found)
                    return as_input(found[-1:])[0]
                before = message.seq
        return None

    async def clear_session(self) -> None:
        """Deletes all messages of the session. The session itself stays, and so does what was remembered.

        Raises:
            SessionUnknown: There is no such session, or it is somebody else's.
        """
        async with self._db.transaction(self._principal) as tx:
            await sessions.lock(tx, self._principal, self._id)
            await sessions.messages.cut(tx, self._principal, self._id, 1)

    async def _without_last(self, tx: Transaction, message: Message, found: list[SdkItem]) -> None:
        if len(found) == 1:
            # What comes after it, if anything does, is nothing that a model is told.
            await sessions.messages.cut(tx, self._principal, self._id, message.seq)
        else:
            calls = calls_in(await self._last(tx, _CALLS_WITHIN, message.seq))
            await sessions.messages.replace(tx, self._principal, message, parts_of(found[:-1], calls))

    async def _latest(self, tx: Transaction, limit: int | None) -> list[SdkItem]:
        found: list[SdkItem] = []
        before = sessions.messages.MAX_SEQ + 1
        while limit is None or len(found) < limit:
            page = await self._last(tx, _PAGE if limit is None else min(limit, _PAGE), before)
            if not page:
                break
            found[:0] = [item for message in page for item in items_of(message)]
            before = page[0].seq
        return found if limit is None else found[max(len(found) - limit, 0) :]

    async def _last(
        self, tx: Transaction, limit: int, before: int = sessions.messages.MAX_SEQ + 1
    ) -> list[Message]:
        return await sessions.messages.latest(
            tx, self._principal, self._id, before_seq=before, limit=limit
        )
