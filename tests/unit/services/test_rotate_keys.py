"""Keys rotate while people read and write: at no step is anything unreadable, or lost."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.vault import AesVault
from shared.domain.affordability import Circle
from shared.domain.financial_health import Answers, QuestionId
from shared.domain.fraud import SignedUp, check_fraud
from shared.domain.fraud_files import FraudFile
from shared.domain.permissions import Role
from shared.ports import Create
from shared.services import (
    consents,
    decide_review,
    disputes,
    evidence,
    financial_health,
    fraud_holds,
    messages,
    profile,
    read_accesses,
    read_assessment,
    read_group,
    request_review,
    rotate_keys,
    submit_assessment,
)
from shared.services.context import Context, Reader
from tests.builders import SECRETS, STARTS, FixedSecrets, SeededChance, World, details
from tests.unit.assessments.households import a_statement

FINANCE = Reader("fin", "req_fin", frozenset({Role.FINANCE}), "To decide the review that waits")
SUPPORT = Reader("sup", "req_sup", frozenset({Role.SUPPORT}), "To decide the dispute between two")
BEST = Answers(choices=dict.fromkeys(QuestionId, 3))
TEXT = "Ben told me so on Sunday"


class Sealed:
    """A circle in which everything that is ever sealed has been sealed once, Ada's and her circle's."""

    def __init__(self) -> None:
        self.world = World()
        self.ctx = self.world.ctx
        self.group = self.world.circle(self.world.people(5)).id
        consents.record(self.ctx, self.world.command("Ada"), "credit_assessment", "2026-11", given=True)
        self.assessment: str = submit_assessment.submit(
            self.ctx,
            self.world.command("Ada"),
            a_statement(),
            Circle(amount_pence=80_000, frequency="weekly"),
            None,
        )["id"]
        (review,) = decide_review.queue(self.ctx, None, 10)["items"]
        decide_review.decide(
            self.ctx,
            self.world.command("fin"),
            FINANCE,
            review["id"],
            verdict="declined",
            reason="There is not enough left over.",
            representations_read=0,
        )
        financial_health.answer(self.ctx, self.world.command("Ada"), BEST)
        found = check_fraud(
            "Ada", [SignedUp(person=n, at=STARTS, device="d") for n in ("Ada", "x", "y")], STARTS
        )
        file = FraudFile(uid="Ada").with_found(found)
        self.world.store.commit([Create(file.path, file.data())])
        reason = "Three sisters with one telephone."
        fraud_holds.decide(self.ctx, self.world.command("fin"), FINANCE, "Ada", 1, "lifted", reason)
        evidence.record(self.ctx, self.world.command("fin"), FINANCE, "Ada", "income", "payslip", 200_000)
        messages.post(self.ctx, self.world.command("Ada"), self.group, TEXT)
        self.dispute: str = disputes.open_dispute(
            self.ctx, self.world.command("Ada"), self.group, "person", "Ben", TEXT, []
        )["id"]
        disputes.add(self.ctx, self.world.command("Ben"), Reader("Ben"), self.group, self.dispute, TEXT, [])
        disputes.take_up(self.ctx, self.world.command("sup"), SUPPORT, self.group, self.dispute)
        disputes.decide(
            self.ctx, self.world.command("sup"), SUPPORT, self.group, self.dispute, "rejected", TEXT, []
        )

    def rotate(self) -> None:
        """The first run for Ada and for the circle."""
        for owner in ("Ada", self.group):
            assert rotate_keys.renew(self.ctx, owner)["begun"]

    def finish(self) -> None:
        """The second, an hour later."""
        self.world.clock.moment += rotate_keys.SETTLED_AFTER
        for owner in ("Ada", self.group):
            assert rotate_keys.renew(self.ctx, owner)["retired"]

    def texts(self) -> Iterator[str]:
        """Every sealed text in the store, wherever it stands."""
        for collection in self.world.store._collections.values():  # type: ignore[attr-defined]
            for held in collection.values():
                yield from _sealed_in(held.data)


def _sealed_in(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("v1."):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _sealed_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _sealed_in(inner)


READERS: dict[str, Callable[[Context, Sealed], Any]] = {
    "profile": lambda ctx, at: profile.own_profile(ctx, "Ada"),
    "names": lambda ctx, at: read_group.group(ctx, Reader("Ben"), at.group),
    "messages": lambda ctx, at: messages.list_messages(
        ctx, Reader("Ben"), at.group, reported=False, cursor=None, limit=10
    ),
    "dispute": lambda ctx, at: disputes.read_dispute(ctx, Reader("Ada"), at.group, at.dispute),
    "assessment": lambda ctx, at: read_assessment.own(ctx, "Ada", at.assessment),
    "health": lambda ctx, at: financial_health.history(ctx, "Ada"),
    "fraud": lambda ctx, at: fraud_holds.of_person(ctx, FINANCE, "Ada"),
    "evidence": lambda ctx, at: evidence.own(ctx, "Ada"),
    "accesses": lambda ctx, at: read_accesses.of_group(ctx, Reader("Ada"), at.group, None, 10),
}
WRITERS: dict[str, Callable[[Context, Sealed], Any]] = {
    "profile": lambda ctx, at: profile.save(ctx, at.world.command("Ada"), details("Zoe")),
    "message": lambda ctx, at: messages.post(ctx, at.world.command("Ada"), at.group, "Later"),
    "health": lambda ctx, at: financial_health.answer(ctx, at.world.command("Ada"), BEST),
    "review": lambda ctx, at: request_review.request(
        ctx, at.world.command("Ada"), at.assessment, "Look again"
    ),
}


class Interrupted:
    """The store as somebody sees it before whose n-th step a whole rotation happens."""

    def __init__(self, store: Any, step: int, rotation: Callable[[], None]) -> None:
        self._store, self._left, self._rotation = store, step, rotation
        self.reached = False

    def __getattr__(self, name: str) -> Any:
        self._left -= 1
        if self._left == 0:
            self.reached = True
            self._rotation()
        return getattr(self._store, name)


def interrupted(at: Sealed, step: int) -> tuple[Context, Interrupted]:
    store: Any = Interrupted(at.world.store, step, at.rotate)
    vault = AesVault(store, FixedSecrets(), SeededChance(step))
    return dataclasses.replace(at.ctx, store=store, vault=vault), store


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_while_keys_rotate_reads_the_same(reader: str) -> None:
    for step in itertools.count(1):
        at = Sealed()
        before = READERS[reader](at.ctx, at)
        ctx, store = interrupted(at, step)
        during = READERS[reader](ctx, at)
        if not store.reached:
            break
        assert _plain(during) == _plain(before)
        at.finish()
        assert _plain(READERS[reader](at.ctx, at)) == _plain(before)
    assert step > 2


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_written_while_keys_rotate_is_read_ever_after(writer: str) -> None:
    """Sealed with the former key and committed after the first run: the second finds it."""
    for step in itertools.count(1):
        at = Sealed()
        ctx, store = interrupted(at, step)
        WRITERS[writer](ctx, at)
        if not store.reached:
            break
        read = {name: _plain(ask(at.ctx, at)) for name, ask in READERS.items()}
        at.finish()
        assert {name: _plain(ask(at.ctx, at)) for name, ask in READERS.items()} == read
    assert step > 2


def test_nothing_is_left_under_a_former_key() -> None:
    at = Sealed()
    owners = [key["owner"] for key in at.world.documents("keys")]
    kept = list(at.texts())
    for owner in owners:
        rotate_keys.renew(at.ctx, owner)
    at.world.clock.moment += rotate_keys.SETTLED_AFTER
    assert all(rotate_keys.renew(at.ctx, owner)["retired"] for owner in owners)
    assert len(list(at.texts())) == len(kept) > 15
    assert [text[:5] for text in at.texts()] == ["v1.2."] * len(kept)
    assert all(list(key["versions"]) == ["2"] for key in at.world.documents("keys"))


def test_a_former_key_is_not_forgotten_within_the_hour() -> None:
    at = Sealed()
    assert rotate_keys.renew(at.ctx, "Ada") == {"begun": True, "documents": 9, "left": 0, "retired": False}
    at.world.clock.moment += rotate_keys.SETTLED_AFTER - timedelta(seconds=1)
    assert rotate_keys.renew(at.ctx, "Ada") == {"begun": False, "documents": 9, "left": 0, "retired": False}
    at.world.clock.moment += timedelta(seconds=1)
    assert rotate_keys.renew(at.ctx, "Ada")["retired"]


def test_the_master_key_rotates_under_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.circle(world.people(5))
    old, new = SECRETS["master-key"], b"f" * 32
    monkeypatch.setattr(FixedSecrets, "current", lambda self, name: new)
    monkeypatch.setattr(FixedSecrets, "accepted", lambda self, name: [new, old])
    first = rotate_keys.rewrap_all(world.ctx)
    assert first["rewrapped"] == first["keys"] == 6  # five people and their circle
    assert rotate_keys.rewrap_all(world.ctx)["rewrapped"] == 0
    monkeypatch.setattr(FixedSecrets, "accepted", lambda self, name: [new])
    assert profile.own_profile(world.ctx, "Ben")["full_name"] == "Ben Adeyemi-Zachary"


def _plain(answer: Any) -> Any:
    """Without what any write changes."""
    if isinstance(answer, dict):
        return {key: _plain(value) for key, value in answer.items() if key != "revision"}
    return [_plain(one) for one in answer] if isinstance(answer, list) else answer
