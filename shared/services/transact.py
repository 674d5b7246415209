"""Load, decide, commit: the one way in which a use case changes anything (DESIGN.md § 3, fixed).

One batched read, one pure decision, one atomic batch; then the facts are published and marked. What makes
it right stands here once: every document that a decision rested on is changed by its commit under the
version that was read; the command's record commits in the same batch; an answer that was lost is looked up.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, TypeVar

from shared.domain.decision import Decision
from shared.domain.documents import Document, Ref
from shared.domain.errors import (
    Broken,
    FactChanged,
    IdempotencyKeyReused,
    NoSuchThing,
    TryAgainLater,
)
from shared.domain.journal import Fact
from shared.domain.ledger import RESERVE, Balances, balances_ref, increments
from shared.domain.record import record
from shared.ports import (
    AlreadyExists,
    Create,
    Delete,
    Increment,
    OutcomeUnknown,
    PublishFailed,
    Snapshot,
    Stale,
    StoreUnavailable,
    Update,
    Write,
)
from shared.services.context import Command, Context

log = logging.getLogger(__name__)

TRIES_MAX: Final = 12
"""Eight writers on one document need up to eight rounds; the rest is for a store in trouble."""

PAUSE_SECONDS_MAX: Final = 2.0

RECORD_KEPT: Final = timedelta(hours=48)
"""A client may repeat a request for a day (Stripe keeps its own keys 24 hours); one more for clock skew."""

FACTS_TOPIC: Final = "facts"

_NEVER_STAMPED: Final = (Balances, Fact)
"""Balances are no guard (but for two accounts), and a fact is never changed."""

D = TypeVar("D", bound=Document)


class AlsoLoad(Exception):
    """The decision needs these documents too: all are loaded again, together."""

    def __init__(self, *refs: Ref[Any]) -> None:
        self.refs = refs
        super().__init__(", ".join(ref.path for ref in refs))


class Loaded:
    """The documents of one batched read, by their address."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._snapshots = {snapshot.path: snapshot for snapshot in snapshots}

    def find(self, ref: Ref[D]) -> D | None:
        """The document, or None if there is none. Raises AlsoLoad if it was not asked for."""
        snapshot = self._snapshots.get(ref.path)
        if snapshot is None:
            raise AlsoLoad(ref)
        return None if snapshot.data is None else snapshot.document(ref.kind)

    def get(self, ref: Ref[D]) -> D:
        """The document. Raises NoSuchThing if there is none, AlsoLoad if it was not asked for."""
        document = self.find(ref)
        if document is None:
            raise NoSuchThing(thing=ref.kind.called())
        return document

    def need(self, *refs: Ref[Any]) -> None:
        """Ask for several documents at once, so that one more read brings them all. Raises AlsoLoad."""
        missing = [ref for ref in refs if ref.path not in self._snapshots]
        if missing:
            raise AlsoLoad(*missing)

    def balances(self, group: str) -> Balances:
        """The group's balances; a group without postings has empty ones."""
        return self.find(balances_ref(group)) or Balances()

    def snapshot(self, path: str) -> Snapshot | None:
        return self._snapshots.get(path)

    def is_as(self, before: Loaded | None) -> bool:
        """Whether a read `before` this one showed all the same, at the same versions.

        Then it was so, all of it, at any moment between the two: neither was torn.
        """
        return before is not None and self._versions() == before._versions()

    def _versions(self) -> dict[str, object | None]:
        return {path: snapshot.version for path, snapshot in self._snapshots.items()}

    def __iter__(self) -> Any:
        return iter(self._snapshots.values())


@record
class _Record:
    """The Idempotency-Key's record: which body, and what was answered."""

    path: str

    @staticmethod
    def of(command: Command) -> _Record | None:
        if command.key is None:
            return None
        return _Record(f"idempotency/{sha256(command.key.encode()).hexdigest()}")


@record
class Committed:
    """What a command came to: the decision that was committed, and the documents that it was made on.

    Where the same request was answered before, the decision is that answer and nothing else, and the
    documents are as they stand now: what follows the commit can be done again, by who repeats the request
    because its first answer never came.
    """

    decision: Decision
    loaded: Loaded

    def after(self, ref: Ref[D]) -> D:
        """A document as the commit left it, but for its revision. Raises as `Loaded.get`."""
        for one in self.decision.changed:
            if one.path == ref.path and isinstance(one, ref.kind):
                return one
        return self.loaded.get(ref)


def transact(
    ctx: Context,
    command: Command,
    refs: Sequence[Ref[Any]],
    decide: Callable[[Loaded], Decision],
    *,
    peek: Sequence[Ref[Any]] = (),
) -> dict[str, Any]:
    """Carry out one command as `committed`; returns the decision's answer, or the recorded one."""
    return committed(ctx, command, refs, decide, peek=peek).decision.answer


def committed(
    ctx: Context,
    command: Command,
    refs: Sequence[Ref[Any]],
    decide: Callable[[Loaded], Decision],
    *,
    peek: Sequence[Ref[Any]] = (),
) -> Committed:
    """Carry out one command; returns what was committed, or the recorded answer of the same request.

    `refs` are the documents that the decision rests on: each is changed or stamped by the commit. `peek`
    are read without being changed: only what can no longer change in the respect that matters, or of which
    somebody else is the judge (the processor, of its own accounts).

    Raises what `decide` raises (nothing is written), IdempotencyKeyReused, TryAgainLater, FactChanged.
    """
    guarded, read_only = list(refs), list(peek)
    record = _Record.of(command)
    doubted: Loaded | None = None
    tries = -1
    while (tries := tries + 1) < TRIES_MAX:
        if tries:
            ctx.chance.pause(ctx.chance.jitter_seconds(min(0.01 * 2**tries, PAUSE_SECONDS_MAX)))
        try:
            loaded = _load(ctx, guarded, read_only, record)
        except StoreUnavailable:
            continue
        if record is not None and (known := _replay(loaded, record, command)) is not None:
            return Committed(Decision(answer=known), loaded)
        try:
            decision = decide(loaded)
            if decision.is_empty and record is None:
                return Committed(decision, loaded)
            facts = _facts(ctx, command, decision)
            writes = _writes(ctx, command, loaded, guarded, decision, facts, record)
            if not _commit(ctx, writes, facts):
                continue
        except AlsoLoad as more:
            guarded += more.refs
            tries -= 1  # not a conflict: each round names documents that were not named before
            continue
        except Broken:
            # A torn read can show what never was, and one that is older than a fact contradicts it. What
            # another look shows to have stood when the doubt arose is real.
            if loaded.is_as(doubted):
                raise
            doubted = loaded
            continue
        publish(ctx, facts)
        return Committed(decision, loaded)
    raise TryAgainLater()


def _load(ctx: Context, guarded: list[Ref[Any]], peek: list[Ref[Any]], record: _Record | None) -> Loaded:
    paths = dict.fromkeys([*(ref.path for ref in (*guarded, *peek)), *([record.path] if record else [])])
    return Loaded(ctx.store.load(*paths))


def _replay(loaded: Loaded, record: _Record, command: Command) -> dict[str, Any] | None:
    snapshot = loaded.snapshot(record.path)
    # TTL deletes late, so expiry is tested by the field (DESIGN.md § 9); a key that old is new again, but its
    # record cannot be created twice: such a request is refused as reused, which is what it is.
    if snapshot is None or snapshot.data is None:
        return None
    if snapshot.data["body_hash"] != command.body_hash:
        raise IdempotencyKeyReused()
    answer: dict[str, Any] = json.loads(snapshot.data["answer"])
    return answer


def _facts(ctx: Context, command: Command, decision: Decision) -> list[Fact]:
    now, wall = ctx.clock.now(), ctx.clock.wall()
    return [news.recorded(now, wall, command.actor, command.id) for news in decision.facts]


def _writes(
    ctx: Context,
    command: Command,
    loaded: Loaded,
    guarded: list[Ref[Any]],
    decision: Decision,
    facts: list[Fact],
    record: _Record | None,
) -> list[Write]:
    """The batch: facts first, then what they change, then every other document that was rested on."""
    writes: list[Write] = [Create(fact.path, fact.data()) for fact in facts]
    written = set()
    for document in decision.created:
        writes.append(Create(document.path, document.data()))
        written.add(document.path)
    for document in decision.changed:
        snapshot = loaded.snapshot(document.path)
        if snapshot is None or snapshot.version is None:
            raise ValueError(f"{document.path} is changed, but was not loaded")
        changed = document.next_revision(snapshot.document(type(document)))
        writes.append(Update(document.path, changed, snapshot.version))
        written.add(document.path)
    for document in decision.removed:
        snapshot = loaded.snapshot(document.path)
        writes.append(Delete(document.path, snapshot.version if snapshot else None))
        written.add(document.path)
    writes += _balance_writes(loaded, {ref.path for ref in guarded}, facts)
    for ref in guarded:
        if ref.path in written or ref.kind in _NEVER_STAMPED:
            continue
        snapshot = loaded.snapshot(ref.path)
        if snapshot is None or snapshot.data is None:
            raise ValueError(f"{ref.path} was found absent, and is not created: nothing guards that")
        writes.append(Update(ref.path, {"revision": snapshot.data["revision"] + 1}, snapshot.version))
        written.add(ref.path)
    if record is not None:
        wall = ctx.clock.wall()
        writes.append(
            Create(
                record.path,
                {
                    "body_hash": command.body_hash,
                    "answer": json.dumps(decision.answer),
                    "at": wall,
                    "expires_at": wall + RECORD_KEPT,
                },
            )
        )
    return writes


def _balance_writes(loaded: Loaded, guarded: set[str], facts: list[Fact]) -> list[Write]:
    by_group: dict[str, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
    for fact in facts:
        for field, pence in increments(fact.entries).items():
            by_group[fact.group][field] += pence
    writes: list[Write] = []
    for group, amounts in by_group.items():
        path = balances_ref(group).path
        snapshot = loaded.snapshot(path) if path in guarded else None
        if snapshot is None and any(_must_be_guarded(*field) for field in amounts):
            raise ValueError(f"a debit of reserve or credit in {group} without its balances loaded")
        writes.append(Increment(path, amounts, snapshot.version if snapshot else None))
    return writes


def _must_be_guarded(side: str, account: str) -> bool:
    """No other document stands for these two (DESIGN.md § 3): their debit is guarded by the balance."""
    return side == "debits" and (account == RESERVE or account.startswith("credit:"))


def _commit(ctx: Context, writes: Sequence[Write], facts: list[Fact]) -> bool:
    """Whether the batch is written, by this try or by one whose answer was lost. Raises FactChanged."""
    try:
        ctx.store.commit(writes)
    except (Stale, StoreUnavailable):
        return False
    except (AlreadyExists, OutcomeUnknown):
        return _was_ours(ctx, facts)
    return True


def _was_ours(ctx: Context, facts: list[Fact]) -> bool:
    """Whether a commit whose answer was lost, or which found a fact there, was this very command's.

    Raises FactChanged if a fact of that id says something else: an error of ours, never to be hidden, unless
    we decided on what was older than that fact.
    """
    if not facts:
        return False
    try:
        found = ctx.store.load(*(fact.path for fact in facts))
    except StoreUnavailable:
        return False
    for fact, snapshot in zip(facts, found, strict=True):
        if snapshot.data is None:
            return False
        if snapshot.data["payload_hash"] != fact.payload_hash:
            raise FactChanged(fact=fact.id)
    return all(
        snapshot.data is not None and snapshot.data["command_id"] == fact.command_id
        for fact, snapshot in zip(facts, found, strict=True)
    )


def publish(ctx: Context, facts: Sequence[Fact]) -> None:
    """Tell the topic, then mark. What fails here is told again by the relay: consumers dedupe by id."""
    try:
        for fact in facts:
            ctx.publisher.publish(
                FACTS_TOPIC,
                {"group": fact.group, "fact": fact.id, "type": fact.type, "at": fact.at.isoformat()},
            )
        if facts:
            ctx.store.commit([Increment(fact.path, {("published",): 1}) for fact in facts])
    except (PublishFailed, StoreUnavailable, OutcomeUnknown, Stale):
        log.warning("facts wait for the relay: %s", ", ".join(fact.id for fact in facts))


def read(ctx: Context, *refs: Ref[Any]) -> Loaded:
    """Load documents to look at them. Raises TryAgainLater."""
    try:
        return Loaded(ctx.store.load(*(ref.path for ref in refs)))
    except StoreUnavailable as trouble:
        raise TryAgainLater() from trouble
