"""Payment methods, and contributions: what one owes, and paying it now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.domain.errors import (
    DetailsToCheck,
    NoSuchThing,
    NothingDue,
    PaymentMethodDeclined,
    PaymentMethodNotReady,
    PaymentMethodStillNeeded,
    ProcessorRefused,
    ProcessorUnavailable,
    UnknownPaymentMethod,
)
from shared.domain.permissions import Action
from shared.web.paging import page
from shared.web.routing import Call, Route
from shared.web.schemas.common import Nothing, Page
from shared.web.schemas.payments import (
    Contribution,
    ContributionsRequest,
    NewMethod,
    NewSetup,
    PayContribution,
    PaymentMethod,
    PaymentMethods,
    Setup,
)


def start_setup(call: Call[NewSetup]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.start_setup(
        call.ctx, call.command, call.identity.email, call.input.kind, call.input.return_url
    )


def finish_setup(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.finish_setup(call.ctx, call.command, call.path["setup"])


def attach_method(call: Call[NewMethod]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.attach(call.ctx, call.command, call.identity.email, call.input.method)


def list_methods(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.list_methods(call.ctx, call.uid)


def make_default(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.make_default(call.ctx, call.command, call.path["method"])


def remove_method(call: Call[Nothing]) -> dict[str, Any]:
    from shared.services import payment_methods

    return payment_methods.remove(call.ctx, call.command, call.path["method"])


def list_contributions(call: Call[ContributionsRequest]) -> Mapping[str, Any]:
    from shared.services import read_contributions

    return page(
        call.input,
        lambda cursor, limit: read_contributions.own(call.ctx, call.uid, call.input.group, cursor, limit),
    )


def pay_contribution(call: Call[PayContribution]) -> dict[str, Any]:
    from shared.services import pay_contribution

    return pay_contribution.pay_now(call.ctx, call.command, call.input.group, call.path["contribution"])


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "POST",
        "/v1/payment-methods/setups",
        Action.SET_UP_OWN_PAYMENT_METHOD,
        "Begin to set up a card or a Bacs mandate, which the person finishes at the payment company",
        takes=NewSetup,
        answer=Setup,
        handler=start_setup,
        status=201,
        refuses=(NoSuchThing, DetailsToCheck, ProcessorRefused, ProcessorUnavailable),
    ),
    Route(
        "POST",
        "/v1/payment-methods/setups/{setup}/finish",
        Action.SET_UP_OWN_PAYMENT_METHOD,
        "Keep the payment method of a set-up that the person has finished",
        takes=Nothing,
        answer=PaymentMethod,
        handler=finish_setup,
        refuses=(
            NoSuchThing,
            PaymentMethodDeclined,
            PaymentMethodNotReady,
            ProcessorRefused,
            ProcessorUnavailable,
        ),
    ),
    Route(
        "POST",
        "/v1/payment-methods",
        Action.SET_UP_OWN_PAYMENT_METHOD,
        "Keep a payment method that the client tokenised with the payment company",
        takes=NewMethod,
        answer=PaymentMethod,
        handler=attach_method,
        status=201,
        refuses=(
            NoSuchThing,
            DetailsToCheck,
            PaymentMethodDeclined,
            PaymentMethodNotReady,
            ProcessorRefused,
            ProcessorUnavailable,
        ),
    ),
    Route(
        "GET",
        "/v1/payment-methods",
        Action.READ_OWN_PAYMENT_METHODS,
        "List one's own payment methods",
        takes=Nothing,
        answer=PaymentMethods,
        handler=list_methods,
    ),
    Route(
        "POST",
        "/v1/payment-methods/{method}/default",
        Action.SET_UP_OWN_PAYMENT_METHOD,
        "Collect by this payment method from now on",
        takes=Nothing,
        answer=PaymentMethod,
        handler=make_default,
        refuses=(UnknownPaymentMethod, PaymentMethodNotReady),
    ),
    Route(
        "POST",
        "/v1/payment-methods/{method}/remove",
        Action.SET_UP_OWN_PAYMENT_METHOD,
        "Forget a payment method, here and at the payment company",
        takes=Nothing,
        answer=PaymentMethods,
        handler=remove_method,
        refuses=(UnknownPaymentMethod, PaymentMethodStillNeeded, ProcessorRefused, ProcessorUnavailable),
    ),
    Route(
        "GET",
        "/v1/contributions",
        Action.READ_OWN_CONTRIBUTIONS,
        "List one's own contributions, by due date",
        takes=ContributionsRequest,
        answer=Page[Contribution],
        handler=list_contributions,
        refuses=(NoSuchThing,),
    ),
    Route(
        "POST",
        "/v1/contributions/{contribution}/pay",
        Action.PAY_OWN_CONTRIBUTION,
        "Pay one's own contribution now, or what is left of it",
        takes=PayContribution,
        answer=Contribution,
        handler=pay_contribution,
        refuses=(NoSuchThing, NothingDue, UnknownPaymentMethod, PaymentMethodNotReady, ProcessorUnavailable),
    ),
)
