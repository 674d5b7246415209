"""Sabotage: one way of breaking each invariant on purpose, inside a run. The auditor must name it.

Each strikes once, at one of its first opportunities, where the store or the processor is written to: behind
the back of the services, which are right.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.domain.commitments import MONTHLY_PENCE_MAX
from shared.domain.house import HOUSE_REF
from shared.ports import Create, Increment, Put, Update, Write
from tests.simulation.auditor import OF_PEOPLE
from tests.simulation.ports import Form

if TYPE_CHECKING:
    from tests.simulation.lifecycle import Lifecycle

FIRST_OPPORTUNITIES = 12

Spoil = Callable[[list[Write]], list[Write] | None]
"""The batch as it is to be written instead; None where there is nothing in it to spoil."""


class Sabotage:
    """Breaks one invariant, once."""

    def __init__(self, life: Lifecycle, invariant: str) -> None:
        self._life = life
        self._chance = random.Random(f"sabotage:{life.seed}")
        # What people do comes once in a run: there is nothing to wait for.
        self._wait = 0 if invariant in OF_PEOPLE else self._chance.randrange(FIRST_OPPORTUNITIES)
        self.struck = False
        at_the_store: dict[str, Spoil] = {
            "entries-balance": self._one_entry_more,
            "never-overdrawn": lambda batch: _with_entries(batch, "pot:99", "reserve"),
            "books-agree": lambda batch: _with_entries(batch, "debt:nobody", "owed:nobody"),
            "balances-are-the-fold": self._balance_forgotten,
            "facts-create-only": self._fact_altered,
            "one-of-each": self._second_attempt,
            "cleared-money-only": self._cleared_later,
            "all-or-nothing": self._state_without_fact,
            "one-creditor": self._owed_to_oneself,
            "each-movement-one-fact": self._other_fee,
            "right-end": self._promise_dropped,
            "two-people": self._consent_of_the_asker,
            "open-cycle": self._swap_of_the_past,
            "left-alone": self._freeze_forgotten,
            "order": self._places_exchanged,
            "agreement": self._other_text_accepted,
            "forgotten": self._debtor_erased,
            "one-organiser": self._two_organisers,
            "caps": self._promises_forgotten,
            "floor": self._capital_invented,
        }
        if invariant in at_the_store:
            life.world.simulated_store.spoil = lambda batch: self._once(at_the_store[invariant], batch)
        elif invariant == "our-id-on-everything":
            life.world.line.spoil = self._without_metadata
        elif invariant == "everything-published":
            life.world.messages.send = self._never_sent
        else:
            raise ValueError(f"no sabotage is called {invariant}")

    def _once(self, spoil: Spoil, batch: Sequence[Write]) -> Sequence[Write]:
        """At the first opportunities it waits, so that seeds differ in when it strikes."""
        if self.struck:
            return batch
        spoilt = spoil(copy.deepcopy(list(batch)))
        if spoilt is None or self._is_early():
            return batch
        self.struck = True
        return spoilt

    def _is_early(self) -> bool:
        self._wait -= 1
        return self._wait >= 0

    # --- at the store ---------------------------------------------------------------------------------------

    def _one_entry_more(self, batch: list[Write]) -> list[Write] | None:
        fact = _posting(batch)
        if fact is None:
            return None
        fact.data["entries"][0]["pence"] += 1
        return batch

    def _balance_forgotten(self, batch: list[Write]) -> list[Write] | None:
        kept = [write for write in batch if not write.path.endswith("/ledger/balances")]
        return kept if len(kept) < len(batch) else None

    def _fact_altered(self, batch: list[Write]) -> list[Write] | None:
        for at, write in enumerate(batch):
            if isinstance(write, Increment) and "/journal/" in write.path:
                (found,) = self._life.world.simulated_store.load(write.path)
                fact = copy.deepcopy(dict(found.data or {}))
                fact["payload"]["pence"] = 1
                batch[at] = Put(write.path, fact | {"published": fact["published"] + 1})
                return batch
        return None

    def _second_attempt(self, batch: list[Write]) -> list[Write] | None:
        for write in batch:
            attempts = _of(write, "contributions").get("attempts", [])
            if attempts and attempts[-1]["state"] == "submitting":
                attempts.append(attempts[-1] | {"id": "att_second", "number": attempts[-1]["number"] + 1})
                return batch
        return None

    def _cleared_later(self, batch: list[Write]) -> list[Write] | None:
        """The processor keeps the money longer than it had said."""
        fact = _posting(batch)
        if fact is None or fact.data["type"] != "contribution_settled":
            return None
        self._life.world.stripe.world.objects[fact.data["id"]]["available_on"] += 400 * 86_400
        return batch

    def _state_without_fact(self, batch: list[Write]) -> list[Write] | None:
        silent = [one for one in batch if isinstance(one, Create) and _is_silent(one)]
        return [one for one in batch if one is not silent[0]] if silent else None

    def _owed_to_oneself(self, batch: list[Write]) -> list[Write] | None:
        for write in batch:
            debts = _of(write, "members").get("debts", [])
            if debts:
                debts[0]["creditor"] = write.path.rpartition("/")[2]
                return batch
        return None

    def _other_fee(self, batch: list[Write]) -> list[Write] | None:
        fact = _posting(batch)
        if fact is None or fact.data["type"] != "contribution_settled":
            return None
        fact.data["payload"]["fee_pence"] += 1
        return _with_more(batch, {"fees:processor": "debit", "house": "credit"})

    # --- what people do -------------------------------------------------------------------------------------

    def _promise_dropped(self, batch: list[Write]) -> list[Write] | None:
        """A contribution that nobody has to pay any more."""
        fact = _fact(batch, "contribution_noticed")
        for write in batch if fact else ():
            after = _of(write, "contributions")
            if after and self._with_what_stays(write)["state"] == "due":
                after |= {"state": "waived", "apart": True, "act_at": None}
                return batch
        return None

    def _consent_of_the_asker(self, batch: list[Write]) -> list[Write] | None:
        for write in batch:
            if isinstance(write, Update) and write.path.startswith("approvals/"):
                after: Any = write.data
                if after.get("state") == "carried_out":
                    after["consents"][-1]["given_by"] = self._with_what_stays(write)["asked_by"]
                    return batch
        return None

    def _with_what_stays(self, write: Write) -> dict[str, Any]:
        """The document as the update leaves it, which names the fields that change alone."""
        assert isinstance(write, Update)
        return {**(self._life.auditor.document(write.path) or {}), **write.data}

    def _swap_of_the_past(self, batch: list[Write]) -> list[Write] | None:
        """The first turn, once it has been had."""
        fact = _fact(batch, "turns_swapped")
        first = next((one for _, one in self._life.documents("payouts") if one["cycle"] == 1), None)
        if fact is None or first is None or first["state"] in {"scheduled", "parked"}:
            return None
        fact["payload"]["positions"][0] = 1
        return batch

    def _freeze_forgotten(self, batch: list[Write]) -> list[Write] | None:
        """Told to the member, and not to those who collect."""
        if _fact(batch, "hardship_opened") is None:
            return None
        for write in batch:
            if (after := _of(write, "contributions")).get("frozen_until"):
                after |= {"frozen_until": None, "act_at": self._life.clock.moment}
        return batch

    def _places_exchanged(self, batch: list[Write]) -> list[Write] | None:
        """The first turn and the last one change hands, in all that the lock writes."""
        fact = _fact(batch, "group_locked")
        if fact is None:
            return None
        order = fact["payload"]["order"]
        first, last = order[0], order[-1]
        other_person, other_place = {first: last, last: first}, {1: len(order), len(order): 1}
        order[0], order[-1] = last, first
        for write in batch:
            data: Any = write.data if isinstance(write, Create | Update) else {}
            for one in (data, *data.get("schedule", ()), *data.get("seats", ())):
                if one.get("recipient"):
                    one["recipient"] = other_person.get(one["recipient"], one["recipient"])
                if one.get("position"):
                    one["position"] = other_place.get(one["position"], one["position"])
        return batch

    def _other_text_accepted(self, batch: list[Write]) -> list[Write] | None:
        """Somebody accepted what the others did not."""
        fact = _fact(batch, "agreed")
        if fact is None:
            return None
        fact["payload"]["agreement"] = "0" * 64
        return batch

    def _debtor_erased(self, batch: list[Write]) -> list[Write] | None:
        """Who leaves after their turn, and owes what they had, is gone from the platform, too."""
        fact = _fact(batch, "member_left")
        if fact is None or not fact["payload"].get("after_turn"):
            return None
        path = f"users/{fact['payload']['member']}"
        return [*batch, Put(path, {**(self._life.auditor.document(path) or {}), "state": "closed"})]

    def _two_organisers(self, batch: list[Write]) -> list[Write] | None:
        """The former organiser keeps the role."""
        fact = _fact(batch, "role_assigned")
        if fact is None or fact["payload"]["role"] != "organiser":
            return None
        for write in batch:
            for seat in write.data.get("seats", ()) if isinstance(write, Update) else ():
                if seat["uid"] == fact["actor"]:
                    seat["role"] = "organiser"
        return batch

    def _promises_forgotten(self, batch: list[Write]) -> list[Write] | None:
        """Whoever has promised most of what they may has promised nothing, as far as the platform knows."""
        for write in batch:
            if isinstance(write, Update) and write.path.startswith("commitments/"):
                after: Any = write.data
                if sum(after.get("monthly_pence", {}).values()) > MONTHLY_PENCE_MAX * 0.9:
                    after["monthly_pence"] = {}
                    return batch
        return None

    def _capital_invented(self, batch: list[Write]) -> list[Write] | None:
        for write in batch:
            if isinstance(write, Put) and write.path == HOUSE_REF.path:
                house: Any = write.data
                house["capital_pence"] += 1_000_000
                return batch
        return None

    # --- elsewhere ------------------------------------------------------------------------------------------

    def _without_metadata(self, path: str, form: Form) -> Form:
        if self.struck or path != "payment_intents" or self._is_early():
            return form
        self.struck = True
        return {name: value for name, value in form.items() if name != "metadata"}

    def _never_sent(self, topic: str, message: dict[str, Any]) -> None:
        if topic == "facts" and not self.struck and not self._is_early():
            self.struck = True
            return
        self._life.sent(topic, message)


def _of(write: Write, kind: str) -> Any:
    """The fields that an update writes to a document of a kind."""
    return write.data if isinstance(write, Update) and write.path.split("/")[-2] == kind else {}


def _fact(batch: list[Write], kind: str) -> Any:
    """The fact of a kind in a batch, if there is one."""
    for write in batch:
        if isinstance(write, Create) and "/journal/" in write.path and write.data["type"] == kind:
            return write.data
    return None


def _posting(batch: list[Write]) -> Any:
    """The fact in a batch that posts money, if there is one."""
    for write in batch:
        if isinstance(write, Create) and "/journal/" in write.path and write.data["entries"]:
            return write
    return None


def _is_silent(write: Create) -> bool:
    """A fact without entries, on which a change of state rests."""
    return "/journal/" in write.path and write.data["type"] == "attempt_submitting"


def _with_entries(batch: list[Write], debit: str, credit: str) -> list[Write] | None:
    """A posting with two more accounts in it, balances and all."""
    fact = _posting(batch)
    if fact is None:
        return None
    fact.data["entries"] += [
        {"account": debit, "side": "debit", "pence": 1},
        {"account": credit, "side": "credit", "pence": 1},
    ]
    return _with_increments(batch, {("debits", debit): 1, ("credits", credit): 1})


def _with_more(batch: list[Write], sides: dict[str, str]) -> list[Write] | None:
    """A posting with a penny more on accounts that stand in it."""
    for entry in _posting(batch).data["entries"]:
        if sides.get(entry["account"]) == entry["side"]:
            entry["pence"] += 1
    return _with_increments(batch, {(f"{side}s", account): 1 for account, side in sides.items()})


def _with_increments(batch: list[Write], more: dict[tuple[str, ...], int]) -> list[Write] | None:
    for at, write in enumerate(batch):
        if isinstance(write, Increment) and write.path.endswith("/ledger/balances"):
            amounts = dict(write.amounts)
            for name, pence in more.items():
                amounts[name] = amounts.get(name, 0) + pence
            batch[at] = replace(write, amounts=amounts)
            return batch
    return None
