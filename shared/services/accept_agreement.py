"""The agreement: what every member accepts, word for word, before the group can lock."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import DetailsToCheck
from shared.domain.fraud import Hold
from shared.domain.groups import accept as accept_in_group
from shared.domain.groups import agreement_hash, agreement_text, draft_schedule, group_ref, roles_in
from shared.domain.journal import News
from shared.domain.members import member_ref
from shared.domain.permissions import Action, require
from shared.domain.users import payment_methods_ref, require_ready_for_money, user_ref
from shared.services import fraud_holds, views
from shared.services import transact as transactions
from shared.services.access_log import require_in_group
from shared.services.context import Command, Context, Reader
from shared.services.promises import promised
from shared.services.transact import Loaded, transact

AGREEMENT_VERSION = 1
"""The version of the agreement's wording; it is part of what a member accepted."""


def read(ctx: Context, reader: Reader, gid: str) -> dict[str, Any]:
    """The agreement's text and its hash. Raises NoSuchThing."""
    group = transactions.read(ctx, group_ref(gid)).get(group_ref(gid))
    require_in_group(ctx, reader, group, Action.READ_AGREEMENT)
    text = agreement_text(group, draft_schedule(group.terms, ctx.holidays))
    return {"text": text, "hash": agreement_hash(text), "version": AGREEMENT_VERSION}


def accept(ctx: Context, command: Command, gid: str, hash_read: str) -> dict[str, Any]:
    """Accept the agreement that was read. Whoever promises money can pay and be paid by then.

    Raises NoSuchThing, NotAllowed, GroupNotOpen, WrongMembershipState, AgreementChanged, NotReadyForMoney,
    DetailsToCheck.
    """
    uid = command.actor
    held = Hold.JOINING in fraud_holds.check(ctx, uid).holds

    def decide(loaded: Loaded) -> Decision:
        group = loaded.get(group_ref(gid))
        require(Action.ACCEPT_AGREEMENT, roles_in(group, uid))
        agreed = accept_in_group(group, uid, hash_read, ctx.holidays, ctx.clock.now())
        require_ready_for_money(loaded.get(user_ref(uid)), loaded.find(payment_methods_ref(uid)))
        member = loaded.get(member_ref(gid, uid))
        member = member if member.state == "agreed" else member.moved("agreed")
        seat = agreed.seat(uid)
        assert seat is not None  # noqa: S101 - accept_in_group has just found it
        fact = News(
            id=f"agreed:{uid}:{group.revision}",
            group=gid,
            type="agreed",
            payload={"member": uid, "agreement": hash_read, "version": AGREEMENT_VERSION},
        )
        decision = Decision(answer=views.membership(gid, seat), facts=[fact], changed=[agreed, member])
        decision = decision.then(promised(loaded, uid, group))
        if held:
            raise DetailsToCheck
        return decision

    # The user is guarded: a person who is being erased promises nothing. Of the method the processor is the
    # judge, at each debit anew: read, not guarded.
    return transact(
        ctx,
        command,
        [group_ref(gid), member_ref(gid, uid), user_ref(uid)],
        decide,
        peek=[payment_methods_ref(uid)],
    )
