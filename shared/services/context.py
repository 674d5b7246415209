"""What every use case is given: the ports it may use, and the command it carries out."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from shared.domain.record import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.domain.permissions import Role
    from shared.ports import (
        Anchors,
        BankHolidays,
        Chance,
        Clock,
        Mailer,
        PaymentGateway,
        Publisher,
        Secrets,
        Store,
        TaskQueue,
        Vault,
    )


@record
class Context:
    """The ports, wired once per instance by `bootstrap`."""

    store: Store
    gateway: PaymentGateway
    tasks: TaskQueue
    publisher: Publisher
    clock: Clock
    chance: Chance
    holidays: BankHolidays
    secrets: Secrets
    anchors: Anchors
    vault: Vault
    mailer: Mailer
    two_people_above_pence: int | None = None  # a payout above it waits until two of staff let it go
    fees: Mapping[str, int] = field(default_factory=dict)  # the platform's, as `Terms` names them


@record
class Reader:
    """Who wants to see something: by their own place in it, or, staff alone, by role and with a reason."""

    uid: str
    request_id: str = ""
    roles: frozenset[Role] = frozenset()
    reason: str | None = None


@record
class Command:
    """One request to change something: who asks, and how the same request is known again.

    `id` names the request in every fact that it causes: the Request-Id, the task's name or the event's id.
    `key` is the client's Idempotency-Key with its route; `body_hash` tells the same body from another.
    Commands of the system (ticks, events, tasks) have no key: their facts' own ids dedupe them.
    """

    actor: str
    id: str
    key: str | None = None
    body_hash: str = ""

    @property
    def keyless(self) -> Command:
        """The same request without its key, for what it does besides: the record holds another answer."""
        return Command(actor=self.actor, id=self.id)
