"""`SteadStore`: LangGraph's `BaseStore` on Stead's items. Needs the extra ``langgraph``.

What differs from LangGraph's own stores: row-level security decides what a store sees; an item has one vector,
made of all that ``index`` names; a search with a question ranks by words and by meaning together; what is over is
found no more from that moment on; filters compare numbers with numbers and texts with texts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
    TTLConfig,
)
from langgraph.store.base import Item as StoreItem

from stead.adapters.embedding import QUESTION_TIMEOUT_S, TEXTS_TIMEOUT_S, embed_texts
from stead.adapters.errors import AdapterArgumentInvalid
from stead.adapters.filters import conditions_of
from stead.adapters.loops import HomeLoop, LoopThread
from stead.adapters.people import find_tenant, person
from stead.adapters.search_text import search_text
from stead.adapters.space import opened
from stead.db import Database, Transaction
from stead.identity import Principal, tenant_service
from stead.memory import items
from stead.memory.items import Item, Namespace, NewItem, Pattern
from stead.memory.items.validity import check_item
from stead.providers.embedders import Embedder

_SECONDS: Final = 60.0  # LangGraph counts in minutes


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Operations, looked at, with what had to be made for them outside the transaction.

    Args:
        ops: As they were given.
        new: What is to be stored: of several under one key the last.
        gone: What is to be deleted.
        vectors: Of texts and questions.
    """

    ops: Sequence[Op]
    new: Sequence[NewItem]
    gone: Sequence[tuple[Namespace, str]]
    vectors: Mapping[str, list[float] | None]


class SteadStore(BaseStore):
    """A LangGraph store. Each batch of operations is one transaction: reads see what was before, then all is
    written, or nothing.

    A person's store holds that person's items, a session's that session's, and a service's the tenant's as a
    whole, which people do not see.

    Args:
        db: The database.
        principal: Whose items.
        embedder: The model of the vectors.
        home: The event loop of ``db``; the running one when None.
        index: Paths of what is searched where ``put`` names none; the whole value by default.
        ttl: As in LangGraph; what is over is always left out, and the worker deletes it.
    """

    supports_ttl = True
    __slots__ = ("_db", "_embedder", "_home", "_index", "_owner", "_principal", "ttl_config")

    def __init__(
        self,
        db: Database,
        principal: Principal,
        embedder: Embedder,
        *,
        home: HomeLoop | None = None,
        index: Sequence[str] = ("$",),
        ttl: TTLConfig | None = None,
    ) -> None:
        self._db = db
        self._principal = principal.served()
        self._owner = items.owner_of(principal)
        self._embedder = embedder
        self._home = home or HomeLoop.running()
        self._index = list(index)
        self.ttl_config = ttl

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carries out operations, from any thread but that of the store's event loop.

        Raises:
            asyncio.InvalidStateError: This is that thread: await `abatch`.
        """
        return self._home.wait(self._carry_out(list(ops)))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Carries out operations, and returns their results in their order.

        Raises:
            InvalidNamespaceError: A namespace cannot be one.
            ItemInvalid: A key, a value, a filter or a page cannot be one.
        """
        return await self._home.run(self._carry_out(list(ops)))

    async def _carry_out(self, ops: list[Op]) -> list[Result]:
        if not ops:
            return []
        batch = await self._prepared(ops)
        async with self._db.transaction(self._principal) as tx:
            results = await self._read(tx, batch)
            await items.put(tx, self._owner, batch.new, embedder=self._embedder)
            await items.delete(tx, self._owner, batch.gone)
        return results

    async def _prepared(self, ops: list[Op]) -> _Batch:
        """Looks at all operations before anything is done, and embeds what needs it."""
        puts: dict[tuple[Namespace, str], NewItem | None] = {}
        texts: dict[str, None] = {}
        for op in ops:
            _check_namespaces(op)
            if isinstance(op, PutOp):
                puts[tuple(op.namespace), op.key] = self._new_item(op)
            elif isinstance(op, SearchOp) and op.query:
                texts[op.query] = None
        timeout_s = TEXTS_TIMEOUT_S if puts else QUESTION_TIMEOUT_S
        new = [item for item in puts.values() if item is not None]
        texts |= {item.search_text: None for item in new if item.search_text is not None}
        vectors = await embed_texts(self._embedder, list(texts), timeout_s=timeout_s)
        told = dict(zip(texts, vectors, strict=True))
        return _Batch(
            ops=ops,
            new=[replace(i, vector=told[i.search_text]) if i.search_text else i for i in new],
            gone=[key for key, item in puts.items() if item is None],
            vectors=told,
        )

    def _new_item(self, op: PutOp) -> NewItem | None:
        if op.value is None:
            return None
        item = NewItem(
            namespace=tuple(op.namespace),
            key=op.key,
            value=dict(op.value),
            ttl_s=None if op.ttl is None else op.ttl * _SECONDS,
        )
        # Before its texts are looked for: only in JSON there are any.
        check_item(item)
        if op.index is False:
            return item
        paths = self._index if op.index is None else op.index
        return replace(item, search_text=search_text(item.value, paths))

    async def _read(self, tx: Transaction, batch: _Batch) -> list[Result]:
        asked = [op for op in batch.ops if isinstance(op, GetOp)]
        got = await items.get(tx, self._owner, [(tuple(op.namespace), op.key) for op in asked])
        kept = {(tuple(op.namespace), op.key) for op in asked if op.refresh_ttl}
        used = [item for key, item in got.items() if key in kept]
        results: list[Result] = []
        for op in batch.ops:
            if isinstance(op, GetOp):
                found = got.get((tuple(op.namespace), op.key))
                results.append(None if found is None else _store_item(found))
            elif isinstance(op, SearchOp):
                hits = await self._search(tx, op, batch)
                used += hits if op.refresh_ttl else []
                results.append([_search_item(hit) for hit in hits])
            elif isinstance(op, ListNamespacesOp):
                results.append(await self._namespaces(tx, op))
            else:
                results.append(None)
        await items.refresh(tx, self._owner, used)
        return results

    async def _search(self, tx: Transaction, op: SearchOp, batch: _Batch) -> list[Item]:
        return await items.search(
            tx,
            self._owner,
            tuple(op.namespace_prefix),
            embedder=self._embedder,
            conditions=conditions_of(op.filter or {}),
            question=op.query or None,
            vector=batch.vectors.get(op.query) if op.query else None,
            limit=op.limit,
            offset=op.offset,
        )

    async def _namespaces(self, tx: Transaction, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        patterns = [
            Pattern(at=condition.match_type, labels=tuple(condition.path))
            for condition in op.match_conditions or ()
        ]
        return await items.namespaces(
            tx,
            self._owner,
            patterns=patterns,
            max_depth=op.max_depth,
            limit=op.limit,
            offset=op.offset,
        )


def _check_namespaces(op: Op) -> None:
    """Raises InvalidNamespaceError, as LangGraph's stores do, before anything is asked of the database."""
    if isinstance(op, GetOp | PutOp):
        _check_labels(op.namespace)
        if not op.namespace:
            raise InvalidNamespaceError("Namespace cannot be empty.")
    elif isinstance(op, SearchOp):
        _check_labels(op.namespace_prefix)
    elif isinstance(op, ListNamespacesOp):  # pyright: ignore[reportUnnecessaryIsInstance] - callers are not checked
        for condition in op.match_conditions or ():
            _check_labels(condition.path)
            if condition.match_type not in {"prefix", "suffix"}:
                raise AdapterArgumentInvalid(f"match_type: {condition.match_type!r} is none")
    else:
        raise AdapterArgumentInvalid(f"{type(op).__name__} is no operation of a store")


def _check_labels(labels: Sequence[object]) -> None:
    for label in labels:
        if not isinstance(label, str) or not label or "." in label or "\x00" in label:
            raise InvalidNamespaceError(
                f"Invalid namespace label {label!r} found in {labels}. Labels are texts that are not empty and "
                "have neither periods nor NUL bytes in them."
            )


def _store_item(item: Item) -> StoreItem:
    return StoreItem(
        value=item.value,
        key=item.key,
        namespace=item.namespace,
        created_at=item.created_at,
        updated_at=item.updated_at,
    )


def _search_item(item: Item) -> SearchItem:
    return SearchItem(
        namespace=item.namespace,
        key=item.key,
        value=item.value,
        created_at=item.created_at,
        updated_at=item.updated_at,
        score=item.score,
    )


@asynccontextmanager
async def open_store(
    database_url: str,
    *,
    tenant: str,
    profile: str | None = None,
    embedder: Embedder | str = "static",
    index: Sequence[str] = ("$",),
    ttl: TTLConfig | None = None,
) -> AsyncGenerator[SteadStore]:
    """A store over connections of its own, while the block runs.

    Args:
        database_url: The server's login (``stead_api``).
        tenant: Slug.
        profile: Whose: an email address, a profile's id, or the subject at an identity provider. None: the
            tenant's as a whole.
        embedder: An embedder, or the name of one that needs no key.
        index: Paths of what is searched where ``put`` names none.
        ttl: As in LangGraph.

    Raises:
        DatabaseUnavailable: The database does not answer.
        TenantUnknown: There is no such tenant.
    """
    async with opened(database_url, embedder) as (db, model):
        found = await find_tenant(db, tenant)
        owner = tenant_service(found) if profile is None else await person(db, found, profile)
        yield SteadStore(db, owner, model, index=index, ttl=ttl)


@contextmanager
def open_store_in_thread(
    database_url: str,
    *,
    tenant: str,
    profile: str | None = None,
    embedder: Embedder | str = "static",
    index: Sequence[str] = ("$",),
    ttl: TTLConfig | None = None,
) -> Generator[SteadStore]:
    """The same for a program without an event loop: the store's runs in a thread of its own."""
    with LoopThread() as home:
        stack = AsyncExitStack()
        opening = stack.enter_async_context(
            open_store(
                database_url, tenant=tenant, profile=profile, embedder=embedder, index=index, ttl=ttl
            )
        )
        store = home.wait(opening)
        try:
            yield store
        finally:
            home.wait(stack.aclose())
