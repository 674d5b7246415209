"""Join: ask for a place, by an invitation's code or in a public group."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import InvitationInvalid, NoSuchThing
from shared.domain.groups import ask_to_join, group_ref, take_place
from shared.domain.identity import require_ability
from shared.domain.invitations import Invitation, address_fingerprint, fingerprint, invitation_ref
from shared.domain.journal import News
from shared.domain.members import Member, member_ref
from shared.domain.users import user_ref
from shared.domain.words import Ability
from shared.services import display_names, throttle, views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def join(
    ctx: Context,
    command: Command,
    gid: str | None,
    code: str | None,
    *,
    email: str | None = None,
    waiting_list: bool = False,
) -> dict[str, Any]:
    """Ask for a place; who was invited by their own address has it at once. `email` is the verified one.

    Raises InvitationInvalid, InvitationForAnother, NoSuchThing, GroupNotOpen, AlreadyMember, GroupFull,
    AccountClosed, IdentityInTheWay, and TooManyRequests for who guesses codes.
    """
    if code is not None:
        throttle.count(ctx, throttle.CODE_GUESSES, command.actor)
    invitation = None if code is None else invitation_of(ctx, code, email)
    by_code = invitation.group if invitation else None
    if by_code is not None and gid not in {None, by_code}:
        raise InvitationInvalid()
    wanted = by_code or gid
    if wanted is None:
        raise NoSuchThing(thing="group")
    uid = command.actor
    own = member_ref(wanted, uid)

    def decide(loaded: Loaded) -> Decision:
        person = loaded.get(user_ref(uid))
        person.require_open()
        require_ability(person.identity, Ability.ASK_TO_JOIN)
        group = loaded.get(group_ref(wanted))
        if by_code is None and group.terms.visibility != "public":
            raise NoSuchThing(thing="group")
        named = invitation is not None and invitation.address is not None
        if invitation is not None and named:
            asked = take_place(group, uid, invitation.turn, invitation.fingerprint)
        else:
            asked = ask_to_join(group, uid, waiting_list=waiting_list)
        former = loaded.find(own)
        member = Member(
            group=wanted,
            uid=uid,
            state="approved" if named else "requested",
            joined_at=ctx.clock.now(),
            revision=former.revision if former else 0,
        )
        type_ = "joined" if named else "requested"
        fact = News(id=f"{type_}:{uid}:{group.revision}", group=wanted, type=type_, payload={"member": uid})
        seat = asked.seat(uid)
        assert seat is not None  # noqa: S101 - ask_to_join has just seated them
        return Decision(
            answer=views.membership(wanted, seat),
            facts=[fact],
            changed=[asked, member] if former else [asked],
            created=[] if former else [member],
        )

    # The user is guarded: an erasure that did not see this place looks again.
    answer = transact(ctx, command, [group_ref(wanted), own, user_ref(uid)], decide)
    display_names.share(ctx, wanted, uid)
    return answer


def invitation_of(ctx: Context, code: str, email: str | None) -> Invitation:
    """The invitation that a code stands for. Codes of the former key stay good while the key rotates.

    Raises InvitationInvalid, InvitationForAnother.
    """
    keys = ctx.secrets.accepted("invitation-key")
    refs = [invitation_ref(fingerprint(key, code)) for key in keys]
    loaded = read(ctx, *refs)
    invitation = next((found for ref in refs if (found := loaded.find(ref)) is not None), None)
    if invitation is None:
        raise InvitationInvalid()
    invitation.check(ctx.clock.now())
    invitation.check_address([] if email is None else [address_fingerprint(key, email) for key in keys])
    return invitation
