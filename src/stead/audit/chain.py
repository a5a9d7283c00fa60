"""Checking one tenant's chain, item by item, wherever the items come from: a database, an export, a dump."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from stead.audit.digests import GENESIS, Root, root_of, seal_digest
from stead.audit.models import (
    Fault,
    FaultKind,
    Head,
    Item,
    Report,
    Seal,
    SealedRow,
    TextsState,
    UnsealedRow,
)
from stead.audit.signatures import is_signed

MAX_FAULTS: Final = 1000


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What a verifier knows from elsewhere.

    Args:
        heads: Digests by seal number, as earlier verifications printed them; of the one chain that is checked.
        anchors: The same of any number of tenants, from a file of anchors.
        keys: Public keys whose signatures count. With none, signatures are not checked; with one, every seal
            needs one.
        unsigned_to: Seals up to this number were made before there was a key.
    """

    heads: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    anchors: Mapping[UUID, Mapping[int, bytes]] = field(default_factory=dict[UUID, Mapping[int, bytes]])
    keys: frozenset[bytes] = frozenset()
    unsigned_to: int = 0

    def heads_of(self, tenant_id: UUID) -> Mapping[int, bytes]:
        """All that is remembered of this chain."""
        return {**self.anchors.get(tenant_id, {}), **self.heads}


class Checker:
    """Takes each seal followed by its rows in their order, then what is unsealed; then ``end``.

    Args:
        tenant_id: Whose chain it is.
        slug: Its name, for the report.
        horizon: Up to which id sealing is complete over all tenants.
        expected: What is known from elsewhere.
    """

    def __init__(
        self, tenant_id: UUID, slug: str | None, *, horizon: int, expected: Expectations
    ) -> None:
        self._tenant_id = tenant_id
        self._slug = slug
        self._expected = expected
        self._heads = expected.heads_of(tenant_id)
        self._horizon = horizon
        self._seal: Seal | None = None
        self._root: Root = root_of(1)
        self._entries = 0
        self._last_id = 0
        self._orphans_of = 0
        # Up to which id the seals before the present one say that nothing can come after them.
        self._complete_before = 0
        self._last_good_head = 0
        self._unsigned: list[int] = []
        self._unknown: dict[bytes, list[int]] = {}
        self._faults: list[Fault] = []
        self._fault_count = 0
        self._seals = self._rows = self._pending = self._signed = self._unchecked = 0
        self._with_texts = self._erased = 0

    def take(self, item: Item) -> None:
        """The next item."""
        match item:
            case SealedRow():
                self._take_row(item)
            case Seal():
                self._take_seal(item)
            case UnsealedRow():
                self._take_unsealed(item.audit_id)

    def end(self, *, complete: bool = True) -> Report:
        """What was found.

        Args:
            complete: False when the source broke off before its end.
        """
        self._close_seal()
        last = self._seal.seal_no if self._seal else 0
        for number in sorted(n for n in self._heads if n > last):
            says = f"seal {number} was the head once; the chain ends at {last}: its end was cut off"
            self._fault("head_missing", says, seal_no=number)
        if self._unsigned:
            first, count = self._unsigned
            says = (
                f"{count} seals from {first} on are not signed, up to the last one or up to where signing began; "
                f"if they were made before there was a key, accept the beginning of the chain as unsigned"
            )
            self._fault("signature_missing", says, seal_no=first)
        for key, (first, count) in self._unknown.items():
            says = f"{count} seals from {first} on are signed with {key.hex()}, which is no trusted key"
            self._fault("signature_unknown", says, seal_no=first)
        if not complete:
            self._fault("dump_incomplete", "the file has no end, or not as many lines as its end says")
        head = Head(seal_no=last, digest=self._seal.digest) if self._seal else None
        return Report(
            tenant_id=self._tenant_id,
            slug=self._slug,
            seals=self._seals,
            rows=self._rows,
            pending=self._pending,
            head=head,
            signed=self._signed,
            unchecked=self._unchecked,
            with_texts=self._with_texts,
            erased=self._erased,
            faults=tuple(self._faults),
            fault_count=self._fault_count,
        )

    def _take_seal(self, seal: Seal) -> None:
        self._close_seal()
        before, number = self._seal, seal.seal_no
        last = before.seal_no if before else 0
        if number > last + 1:
            gone = str(last + 1) if number == last + 2 else f"{last + 1} to {number - 1}"
            self._fault("seal_missing", f"seal {gone} is not there", seal_no=last + 1)
        elif seal.prev_digest != (before.digest if before else GENESIS):
            says = f"seal {number} was made on another seal {last} than the one that is there"
            self._fault("chain_broken", says, seal_no=number)
        if seal.tenant_id != str(self._tenant_id) or seal_digest(seal) != seal.digest:
            self._fault("seal_altered", f"seal {number} is not as it was made", seal_no=number)
        self._check_head(seal)
        self._check_signature(seal)
        if before is not None:
            self._complete_before = max(self._complete_before, before.complete_to)
        self._seal, self._root, self._entries, self._last_id = seal, root_of(seal.form), 0, 0
        self._seals += 1

    def _check_head(self, seal: Seal) -> None:
        wanted = self._heads.get(seal.seal_no)
        if wanted is None:
            return
        if wanted == seal.digest:
            self._last_good_head = seal.seal_no
            return
        says = (
            f"seal {seal.seal_no} is not the one that was remembered: the chain was written anew after seal "
            f"{self._last_good_head} and no later than seal {seal.seal_no}"
        )
        self._fault("head_differs", says, seal_no=seal.seal_no)

    def _check_signature(self, seal: Seal) -> None:
        number = seal.seal_no
        if seal.key is None or seal.signature is None:
            if self._expected.keys and number > self._expected.unsigned_to:
                self._unsigned = (
                    [self._unsigned[0], self._unsigned[1] + 1] if self._unsigned else [number, 1]
                )
        elif not self._expected.keys:
            self._unchecked += 1
        elif seal.key not in self._expected.keys:
            first, count = self._unknown.get(seal.key, (number, 0))
            self._unknown[seal.key] = [first, count + 1]
        elif is_signed(seal.digest, seal.key, seal.signature):
            self._signed += 1
        else:
            says = f"the signature of seal {number} is not of this seal: the chain was written anew from here"
            self._fault("signature_wrong", says, seal_no=number)

    def _take_row(self, row: SealedRow) -> None:
        if self._seal is None or row.seal_no != self._seal.seal_no:
            if row.seal_no != self._orphans_of:
                self._orphans_of = row.seal_no
                says = f"there are entries of seal {row.seal_no}, which is not there"
                self._fault("seal_missing", says, seal_no=row.seal_no, audit_id=row.audit_id)
            return
        self._rows += 1
        self._entries += 1
        if row.position != self._entries or row.audit_id <= self._last_id:
            says = f"the entries of seal {row.seal_no} are not in their order at position {row.position}"
            self._fault("entries_altered", says, seal_no=row.seal_no, audit_id=row.audit_id)
            self._entries = row.position
        elif row.audit_id <= self._complete_before:
            says = f"row {row.audit_id} came after a seal that says that there is no such row"
            self._fault("row_inserted", says, seal_no=row.seal_no, audit_id=row.audit_id)
        self._last_id = row.audit_id
        self._root.add(row.audit_id, row.digest)
        if row.found is None:
            says = f"row {row.audit_id} of seal {row.seal_no} is not there"
            self._fault("row_missing", says, seal_no=row.seal_no, audit_id=row.audit_id)
        elif row.found != row.digest:
            says = f"row {row.audit_id} of seal {row.seal_no} is not as it was sealed"
            self._fault("row_altered", says, seal_no=row.seal_no, audit_id=row.audit_id)
        elif row.texts is not None:
            self._take_texts(row, row.texts)

    def _take_texts(self, row: SealedRow, texts: TextsState) -> None:
        self._with_texts += 1
        if texts == "erased":
            self._erased += 1
        elif texts == "altered":
            says = f"the texts of row {row.audit_id} of seal {row.seal_no} are not those that it was sealed with"
            self._fault("texts_altered", says, seal_no=row.seal_no, audit_id=row.audit_id)

    def _close_seal(self) -> None:
        seal = self._seal
        if seal is None:
            return
        if self._entries != seal.rows:
            says = f"seal {seal.seal_no} was made over {seal.rows} rows; entries for {self._entries} are there"
            self._fault("entries_altered", says, seal_no=seal.seal_no)
        elif self._root.value() != seal.root:
            says = f"the entries of seal {seal.seal_no} are not those that it was made over"
            self._fault("entries_altered", says, seal_no=seal.seal_no)

    def _take_unsealed(self, audit_id: int) -> None:
        sealed_to = max(
            self._horizon, self._complete_before, self._seal.complete_to if self._seal else 0
        )
        if audit_id > sealed_to:
            self._pending += 1
            return
        says = (
            f"row {audit_id} is in no seal, though all up to {sealed_to} are sealed: it was put there, or its "
            f"seal was taken away"
        )
        self._fault("row_inserted", says, audit_id=audit_id)

    def _fault(
        self, kind: FaultKind, says: str, *, seal_no: int | None = None, audit_id: int | None = None
    ) -> None:
        self._fault_count += 1
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(Fault(kind=kind, says=says, seal_no=seal_no, audit_id=audit_id))
