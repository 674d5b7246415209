"""Erasure: a person's key is destroyed, so that nothing of them can be read; the ledger stays as it is.

Facts name them by id alone, and that id no longer leads to anybody. While money is owed either way, erasure
is refused with its reasons. A place in a circle that forms is given up by the erasure, where nothing was
promised for it. What they wrote to their circles is deleted; what they said in a dispute stays, sealed, as
long as a claim can rest on it (Article 17(3)(e); shared/domain/retention.py).
"""

from __future__ import annotations

import contextlib
from typing import Any

from shared.domain.contributions import Contribution
from shared.domain.decision import Decision
from shared.domain.devices import reach_ref
from shared.domain.disputes import Dispute
from shared.domain.documents import Document
from shared.domain.errors import CannotBeErased, Erased, ProcessorRefused
from shared.domain.groups import FORMING, Group, group_ref
from shared.domain.keys import key_ref
from shared.domain.ledger import Balances, balances_ref
from shared.domain.members import Member, member_ref
from shared.domain.payouts import Payout
from shared.domain.privacy import reasons_to_keep
from shared.domain.profiles import DisplayName, profile_ref
from shared.domain.traces import traces_ref
from shared.domain.users import payment_methods_ref, user_ref
from shared.ports import Delete, IdentityProvider, Query, Unreadable
from shared.services import display_names, own
from shared.services.case_files import files_of
from shared.services.context import Command, Context
from shared.services.leave_group import free_the_place
from shared.services.paging import every
from shared.services.processor import asking, forget_method
from shared.services.transact import Loaded, read, transact
from shared.services.withdraw_request import withdrawn


def erase(ctx: Context, command: Command, people: IdentityProvider) -> dict[str, Any]:
    """Erase who asks. Raises NoSuchThing before the sign-up, CannotBeErased, ProcessorUnavailable.

    What they can pay by and the sign-in end after the commit, at the processor and where people sign in:
    where that fails, the same request again finds the account closed and ends them then.
    """
    uid = command.actor
    with contextlib.suppress(Erased):
        ctx.vault.sealer(uid)  # who never had a key gets one to destroy, so that none is made later

    def decide(loaded: Loaded) -> Decision:
        user = loaded.get(user_ref(uid))
        if user.state == "closed":
            return Decision(answer={"erased": True})
        # Looked at after the user was read: who founds a circle, asks for a place or promises something
        # meanwhile, or has a dispute with somebody, changes the user, too: then this commit looks again.
        groups, now = display_names.circles_of(ctx, uid), ctx.clock.now()
        circles = [_circle(ctx, group) for group in groups]
        if reasons := reasons_to_keep(uid, circles, _contributions(ctx, uid), _payouts(ctx, uid), now):
            raise CannotBeErased(reasons=" ".join(reasons))
        forming = [group.id for group, *_ in circles if group.state in FORMING and group.seat(uid)]
        places = _given_up(loaded, uid, forming)
        personal: list[Document | None] = [
            loaded.find(profile_ref(uid)),
            loaded.find(payment_methods_ref(uid)),
            loaded.find(reach_ref(uid)),
            loaded.find(traces_ref(uid)),
        ]
        gone = [found for found in personal if found is not None]
        # Likewise: what is filed changes the user, too, so nothing can be filed unseen.
        gone += files_of(ctx, uid)
        gone += [DisplayName(group=group, uid=uid, sealed="") for group in groups]
        # The processor's references stay: years later the books are still held against its lines by them.
        closed = user.with_(state="closed", erased_at=now, identity_check=None, profile_at=None)
        gone_for_good = Decision(
            answer={"erased": True},
            changed=[closed, loaded.get(key_ref(uid)).destroyed(now)],
            removed=gone,
        )
        return places.then(gone_for_good)

    answer = transact(
        ctx,
        command,
        [user_ref(uid), key_ref(uid)],
        decide,
        peek=[profile_ref(uid), payment_methods_ref(uid), reach_ref(uid), traces_ref(uid)],
    )
    for group in display_names.circles_of(ctx, uid):
        _delete_messages(ctx, uid, group)
    _forget_methods(ctx, uid)
    people.remove(uid)
    return answer


def _given_up(loaded: Loaded, uid: str, circles: list[str]) -> Decision:
    """Their requests taken back, and their places free again, in circles that form: nothing was promised for
    them. It changes each circle, so that who lets them in, or hands it over to them, decides anew."""
    loaded.need(*(ref for gid in circles for ref in (group_ref(gid), member_ref(gid, uid))))
    given_up = Decision()
    for gid in circles:
        seat = loaded.get(group_ref(gid)).seat(uid)
        if seat is not None and seat.state == "requested":
            given_up = given_up.then(withdrawn(loaded, gid, uid))
        elif seat is not None and seat.state == "approved":
            given_up = given_up.then(free_the_place(loaded, gid, uid, "left"))
    return given_up


def _forget_methods(ctx: Context, uid: str) -> None:
    """Whatever the processor has of them, known here or not: nobody can be collected from by it any more.

    Raises ProcessorUnavailable.
    """
    payer = read(ctx, user_ref(uid)).get(user_ref(uid)).payer
    if payer is None:
        return
    with asking("payment method"):
        found = ctx.gateway.methods(payer)
    for method in found:
        if not isinstance(method, Unreadable):
            with contextlib.suppress(ProcessorRefused):  # what it keeps all the same, nobody here can end
                forget_method(ctx, method.reference)


def _delete_messages(ctx: Context, uid: str, group: str) -> None:
    """Reported ones too: a report is about what others have to read."""
    while True:
        page = ctx.store.query(Query(f"groups/{group}/messages", where=[("author", "==", uid)]))
        if not page.documents:
            return
        ctx.store.commit([Delete(one.path) for one in page.documents])


def _contributions(ctx: Context, uid: str) -> list[Contribution]:
    return [one.document(Contribution) for one in every(ctx, own.contributions_of(uid))]


def _payouts(ctx: Context, uid: str) -> list[Payout]:
    return [one.document(Payout) for one in every(ctx, own.payouts_to(uid))]


def _circle(ctx: Context, gid: str) -> tuple[Group, list[Member], Balances, list[Dispute]]:
    loaded = read(ctx, group_ref(gid), balances_ref(gid))
    (found,) = ctx.store.read_consistently(Query(f"groups/{gid}/members"))
    members = [one.document(Member) for one in found]
    disputes = [one.document(Dispute) for one in every(ctx, Query(f"groups/{gid}/disputes"))]
    return loaded.get(group_ref(gid)), members, loaded.balances(gid), disputes
