"""Running circles: the order, progress, leaving, hardship, and what needs the consent of several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    AgreementChanged,
    AlreadyHadTurn,
    AlreadyMember,
    ApprovalClosed,
    CapReached,
    CycleOpen,
    FeeOnlyFalls,
    GroupNotOpen,
    HardshipTooLong,
    NoSuchDebt,
    NoSuchThing,
    NotAllowed,
    NotAPermutation,
    NothingDue,
    NothingOwed,
    NotReadyForMoney,
    NotRunning,
    OrderNotByThisMethod,
    OrderNotReady,
    OrganiserNeeded,
    OwnRequest,
    PlanDoesNotFit,
    PotsDiffer,
    WrongMembershipState,
)
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing, Page, PageRequest
from shared.web.schemas.groups import Group
from shared.web.schemas.running import (
    Approval,
    ConsentGiven,
    Left,
    NewApproval,
    NewOrder,
    Place,
    Progress,
    Ranking,
    Standing,
    TimeAsked,
    TimeGiven,
)


def rank_cycles(call: Call[Ranking]) -> dict[str, Any]:
    from shared.services import set_order

    return set_order.rank_cycles(call.ctx, call.command, call.path["group"], call.input.ranking)


def set_order(call: Call[NewOrder]) -> dict[str, Any]:
    from shared.services import set_order

    return set_order.set_the_order(call.ctx, call.command, call.path["group"], call.input.order)


def read_place(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import set_order

    return set_order.read_place(call.ctx, call.uid, call.path["group"])


def read_progress(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_progress

    return read_progress.progress(call.ctx, call.uid, call.path["group"])


def read_standing(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import read_progress

    return read_progress.standing(call.ctx, call.uid, call.path["group"])


def leave_group(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import leave_group

    return leave_group.leave(call.ctx, call.command, call.path["group"])


def ask_for_time(call: Call[TimeAsked]) -> dict[str, Any]:
    from shared.services import hardship

    return hardship.ask_for_time(call.ctx, call.command, call.path["group"], call.input.until)


def ask_approval(call: Call[NewApproval]) -> dict[str, Any]:
    from shared.services import approvals

    gid, asked = call.path["group"], call.input
    return approvals.ask(call.ctx, call.command, call.roles, gid, asked.kind, asked.payload())


def list_approvals(call: Call[PageRequest]) -> Mapping[str, Any]:
    from shared.services import approvals

    def one_page(cursor: str | None, limit: int) -> dict[str, Any]:
        return approvals.list_approvals(call.ctx, call.uid, call.roles, call.path["group"], cursor, limit)

    return page(call.input, one_page)


def approve(call: Call[ConsentGiven]) -> dict[str, Any]:
    from shared.services import approvals

    gid, approval = call.path["group"], call.path["approval"]
    return approvals.approve(call.ctx, call.command, call.roles, gid, approval, call.input.agreement_hash)


def refuse_approval(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import approvals

    return approvals.refuse(call.ctx, call.command, call.roles, call.path["group"], call.path["approval"])


def withdraw_approval(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import approvals

    return approvals.withdraw(call.ctx, call.command, call.roles, call.path["group"], call.path["approval"])


_ANSWERED: Final = (NoSuchThing, NotAllowed, ApprovalClosed, OwnRequest)

ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/groups/{group}/ranking",
        Action.RANK_CYCLES,
        "Rank the cycles, where the order goes by preference",
        takes=Ranking,
        answer=Group,
        handler=rank_cycles,
        refuses=(NoSuchThing, NotAllowed, GroupNotOpen, OrderNotByThisMethod, NotAPermutation),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/order",
        Action.SET_ORDER,
        "Set the order, where the organiser does; members then accept it",
        takes=NewOrder,
        answer=Group,
        handler=set_order,
        refuses=(
            NoSuchThing,
            NotAllowed,
            GroupNotOpen,
            OrderNotByThisMethod,
            OrderNotReady,
            NotAPermutation,
        ),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/place",
        Action.READ_PLACE,
        "Read one's own place in the order, and why one has it",
        takes=Nothing,
        answer=Place,
        handler=read_place,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/progress",
        Action.READ_PROGRESS,
        "Read how far the open cycle is, as the circle chose to show it",
        takes=Nothing,
        answer=Progress,
        handler=read_progress,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/standing",
        Action.READ_STANDING,
        "Read what one owes in a circle, and one's late marks until they age off",
        takes=Nothing,
        answer=Standing,
        handler=read_standing,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/leave",
        Action.LEAVE_GROUP,
        "Leave a circle: what neither side has done falls away, what one has done is owed",
        takes=Nothing,
        answer=Left,
        handler=leave_group,
        refuses=(
            NoSuchThing,
            NotAllowed,
            NotRunning,
            AlreadyHadTurn,
            OrganiserNeeded,
            WrongMembershipState,
        ),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/hardship",
        Action.ASK_FOR_TIME,
        "Ask to be left alone for a while, for hardship",
        takes=TimeAsked,
        answer=TimeGiven,
        handler=ask_for_time,
        refuses=(NoSuchThing, NotAllowed, NotRunning, HardshipTooLong),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/approvals",
        Action.ASK_APPROVAL,
        "Ask for something that others must consent to",
        takes=NewApproval,
        answer=Approval,
        handler=ask_approval,
        status=201,
        refuses=(
            NoSuchThing,
            NotAllowed,
            NotRunning,
            AlreadyMember,
            CycleOpen,
            NoSuchDebt,
            PotsDiffer,
            WrongMembershipState,
        ),
    ),
    Route(
        "GET",
        "/v1/groups/{group}/approvals",
        Action.READ_APPROVALS,
        "List what was asked for, newest first",
        takes=PageRequest,
        answer=Page[Approval],
        handler=list_approvals,
        refuses=(NoSuchThing, NotAllowed),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/approvals/{approval}/approve",
        Action.ANSWER_APPROVAL,
        "Consent; with the last consent it is done",
        takes=ConsentGiven,
        answer=Approval,
        handler=approve,
        refuses=(
            *_ANSWERED,
            AgreementChanged,
            AlreadyHadTurn,
            AlreadyMember,
            CapReached,
            CycleOpen,
            FeeOnlyFalls,
            NoSuchDebt,
            NothingDue,
            NothingOwed,
            NotReadyForMoney,
            NotRunning,
            PlanDoesNotFit,
            PotsDiffer,
            WrongMembershipState,
        ),
    ),
    Route(
        "POST",
        "/v1/groups/{group}/approvals/{approval}/refuse",
        Action.ANSWER_APPROVAL,
        "Refuse, as one whose consent is needed",
        takes=Nothing,
        answer=Approval,
        handler=refuse_approval,
        refuses=_ANSWERED,
    ),
    Route(
        "POST",
        "/v1/groups/{group}/approvals/{approval}/withdraw",
        Action.ANSWER_APPROVAL,
        "Take one's own request back",
        takes=Nothing,
        answer=Approval,
        handler=withdraw_approval,
        refuses=_ANSWERED,
    ),
)
