"""Join: ask for a place, by an invitation's code or in a public group."""

from __future__ import annotations

from typing import Any

from shared.domain.decision import Decision
from shared.domain.errors import InvitationInvalid, NoSuchThing
from shared.domain.groups import ask_to_join, group_ref
from shared.domain.identity import Ability, require_ability
from shared.domain.invitations import fingerprint, invitation_ref
from shared.domain.journal import News
from shared.domain.members import Member, member_ref
from shared.domain.users import user_ref
from shared.services import display_names, throttle, views
from shared.services.context import Command, Context
from shared.services.transact import Loaded, read, transact


def join(ctx: Context, command: Command, gid: str | None, code: str | None) -> dict[str, Any]:
    """Ask for a place.

    Raises InvitationInvalid, NoSuchThing, GroupNotOpen, AlreadyMember, GroupFull, AccountClosed,
    IdentityInTheWay, and TooManyRequests for who guesses codes.
    """
    if code is not None:
        throttle.count(ctx, throttle.CODE_GUESSES, command.actor)
    by_code = None if code is None else _group_of(ctx, code)
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
        asked = ask_to_join(group, uid)
        former = loaded.find(own)
        member = Member(
            group=wanted,
            uid=uid,
            state="requested",
            joined_at=ctx.clock.now(),
            revision=former.revision if former else 0,
        )
        fact = News(
            id=f"requested:{uid}:{group.revision}", group=wanted, type="requested", payload={"member": uid}
        )
        seat = asked.seat(uid)
        assert seat is not None  # noqa: S101 - ask_to_join has just seated them
        return Decision(
            answer=views.membership(wanted, seat),
            facts=[fact],
            changed=[asked, member] if former else [asked],
            created=[] if former else [member],
        )

    # A request promises nothing yet, so the person is only looked at; accepting the agreement guards them.
    answer = transact(ctx, command, [group_ref(wanted), own], decide, peek=[user_ref(uid)])
    display_names.share(ctx, wanted, uid)
    return answer


def _group_of(ctx: Context, code: str) -> str:
    """The group that a code opens. Codes of the former key stay good while the key rotates."""
    keys = ctx.secrets.accepted("invitation-key")
    refs = [invitation_ref(fingerprint(key, code)) for key in keys]
    loaded = read(ctx, *refs)
    invitation = next((found for ref in refs if (found := loaded.find(ref)) is not None), None)
    if invitation is None:
        raise InvitationInvalid()
    invitation.check(ctx.clock.now())
    return invitation.group
