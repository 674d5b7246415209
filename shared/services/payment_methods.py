"""Payment methods: cards and Bacs mandates, set up at the processor and known here by reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shared.domain.collection import may_use
from shared.domain.decision import Decision
from shared.domain.documents import Ref
from shared.domain.errors import (
    NoSuchThing,
    PaymentMethodDeclined,
    PaymentMethodNotReady,
    PaymentMethodStillNeeded,
    UnknownPaymentMethod,
)
from shared.domain.fraud import Hold
from shared.domain.traces import TraceKind, traces_ref
from shared.domain.users import PaymentMethod, PaymentMethods, User, payment_methods_ref, user_ref
from shared.domain.words import MethodKind
from shared.ports import Method, MethodSetup, Query
from shared.services import own, views, wake
from shared.services.context import Command, Context
from shared.services.fraud_holds import require_clear
from shared.services.paging import every
from shared.services.processor import asking, forget_method
from shared.services.traces import noting
from shared.services.transact import Loaded, committed, read, transact

SETUPS_KEPT = 20
"""Set-ups remembered per person: who opens more of them at once is not setting up a card."""


def start_setup(
    ctx: Context, command: Command, email: str | None, kind: MethodKind, return_url: str
) -> dict[str, Any]:
    """Begin a set-up that the person finishes at the processor.

    Raises NoSuchThing before the sign-up, DetailsToCheck.
    """
    require_clear(ctx, command.actor, Hold.ADDING_METHODS)
    payer = _payer(ctx, command, email)
    with asking("payment method"):
        setup = ctx.gateway.start_method_setup(command.actor, payer, kind, return_url)
    answer = {"setup": setup.reference, "client_secret": setup.client_secret, "url": setup.url}

    def decide(loaded: Loaded) -> Decision:
        methods = loaded.get(payment_methods_ref(command.actor))
        kept = [*methods.setups, setup.reference][-SETUPS_KEPT:]
        return Decision(answer=answer, changed=[methods.with_(setups=kept)])

    return transact(ctx, command, [payment_methods_ref(command.actor)], decide)


def attach(ctx: Context, command: Command, email: str | None, method: str) -> dict[str, Any]:
    """Set up a method that the client tokenised with the processor.

    Raises NoSuchThing, ProcessorRefused, PaymentMethodDeclined (by the bank), PaymentMethodNotReady (the bank
    wants the person: the set-up by page lets them authenticate), DetailsToCheck.
    """
    require_clear(ctx, command.actor, Hold.ADDING_METHODS)
    payer = _payer(ctx, command, email)
    with asking("payment method"):
        setup = ctx.gateway.attach_method(command.actor, payer, method, command.id)
    return record_method(ctx, command, command.actor, _method_of(setup))


def finish_setup(ctx: Context, command: Command, setup: str) -> dict[str, Any]:
    """Take up a method whose set-up the person has finished.

    Raises NoSuchThing for a set-up that is not theirs, PaymentMethodNotReady while it is open,
    PaymentMethodDeclined where the bank said no or the page expired.
    """
    methods = read(ctx, payment_methods_ref(command.actor)).get(payment_methods_ref(command.actor))
    if setup not in methods.setups:
        raise NoSuchThing(thing="set-up")
    with asking("payment method"):
        done = ctx.gateway.method_setup(setup)
    return record_method(ctx, command, command.actor, _method_of(done))


def _method_of(setup: MethodSetup) -> Method:
    if setup.state == "failed":
        raise PaymentMethodDeclined()
    if setup.method is None:
        raise PaymentMethodNotReady()
    return setup.method


def record_setup(ctx: Context, command: Command, setup: MethodSetup) -> dict[str, Any]:
    """Take up what the processor says of a set-up of ours."""
    uid = setup.labels.get("uid")
    if uid is None or setup.method is None or setup.method.payer is None:  # or forgotten again since
        return {}
    return _take_up(ctx, command, uid, setup.method)


def _take_up(ctx: Context, command: Command, uid: str, method: Method) -> dict[str, Any]:
    """Keep what the processor says of a method; of who was erased nothing is kept, there neither: a card that
    was given meanwhile is forgotten when its news comes."""
    try:
        return record_method(ctx, command, uid, method)
    except NoSuchThing:
        if read(ctx, user_ref(uid)).get(user_ref(uid)).state != "closed":
            raise
    forget_method(ctx, method.reference)
    return {}


def record_method(ctx: Context, command: Command, uid: str, method: Method) -> dict[str, Any]:
    """Keep what the processor says of a person's method; what is known already changes nothing. What waits
    for a method is looked at again."""

    def change(loaded: Loaded) -> Decision:
        methods = loaded.get(payment_methods_ref(uid))
        renewed = methods.with_method(_known_as(method, ctx))
        answer = views.payment_method(renewed.get(method.reference), renewed.default)
        news = Decision(answer=answer, changed=[renewed] if _news(methods, renewed, method) else [])
        return noting(ctx, loaded, uid, news, *_seen(method))

    return _change(ctx, command, uid, change, peek=[traces_ref(uid)])


def _change(
    ctx: Context,
    command: Command,
    uid: str,
    change: Callable[[Loaded], Decision],
    peek: Sequence[Ref[Any]] = (),
) -> dict[str, Any]:
    """Change a person's methods; what waits for the one that is collected by now is looked at again, by the
    same request once more where the first was cut short before that."""
    ref = payment_methods_ref(uid)
    done = committed(ctx, command, [ref], change, peek=peek)
    if (usable := done.after(ref).usable()) is not None:
        now = ctx.clock.now()
        wake.contributions_of(ctx, command, uid, lambda one: may_use(one, usable, now, ctx.holidays))
    return done.decision.answer


def _seen(method: Method) -> Iterator[tuple[TraceKind, str]]:
    """The card or account behind a method, and that its mandate was cancelled where it was."""
    yield "card" if method.kind == "card" else "bank", method.fingerprint or method.reference
    if method.revoked:
        yield "mandate_revoked", method.mandate or method.reference


def record_known_method(ctx: Context, command: Command, method: Method) -> dict[str, Any]:
    """Take up what the processor says of a method, whoever holds it. Of a payer that is not ours: nothing."""
    if method.payer is None:
        return {}
    found = ctx.store.query(Query("users", where=[("payer", "==", method.payer)], limit=1)).documents
    if not found:
        return {}
    return _take_up(ctx, command, found[0].path.partition("/")[2], method)


def list_methods(ctx: Context, uid: str) -> dict[str, Any]:
    """The person's payment methods, newest last."""
    methods = read(ctx, payment_methods_ref(uid)).find(payment_methods_ref(uid))
    if methods is None:
        return {"items": []}
    return _listed(methods)


def make_default(ctx: Context, command: Command, method: str) -> dict[str, Any]:
    """Take this method from now on; a mandate that waits for its bank, from then on.

    Raises UnknownPaymentMethod, PaymentMethodNotReady (it has ended).
    """

    def change(loaded: Loaded) -> Decision:
        methods = loaded.find(payment_methods_ref(command.actor))
        if methods is None:
            raise UnknownPaymentMethod()
        chosen = methods.get(method)
        if chosen.state == "inactive":
            raise PaymentMethodNotReady()
        renewed = methods.with_(default=chosen.reference)
        answer = views.payment_method(chosen, chosen.reference)
        return Decision(answer=answer, changed=[renewed])

    return _change(ctx, command, command.actor, change)


def remove(ctx: Context, command: Command, method: str) -> dict[str, Any]:
    """Forget a method here and at the processor. The newest other one is collected by from now on.

    Raises UnknownPaymentMethod; PaymentMethodStillNeeded for the last one while contributions are due.
    """
    ref = payment_methods_ref(command.actor)
    known = read(ctx, ref).find(ref)
    if known is None:
        raise UnknownPaymentMethod()
    known.get(method)
    if known.without_method(method).usable() is None and _is_due(ctx, command.actor):
        raise PaymentMethodStillNeeded()
    forget_method(ctx, method)

    def change(loaded: Loaded) -> Decision:
        methods = loaded.get(ref).without_method(method)
        return Decision(answer=_listed(methods), changed=[methods])

    return _change(ctx, command, command.actor, change)


def _is_due(ctx: Context, uid: str) -> bool:
    """Whether anything is still to be collected from the person, in any circle."""
    found = every(ctx, own.contributions_of(uid))
    return any((one.data or {})["state"] in {"due", "short"} for one in found)


def _listed(methods: PaymentMethods) -> dict[str, Any]:
    return {"items": [views.payment_method(one, methods.default) for one in methods.methods]}


def _payer(ctx: Context, command: Command, email: str | None) -> str:
    """The person's account with the processor as a payer, opened at its first need."""
    ref = user_ref(command.actor)
    user = read(ctx, ref).get(ref)
    if user.payer is not None:
        return user.payer
    with asking("payment method"):
        payer = ctx.gateway.open_payer(command.actor, email)

    def decide(loaded: Loaded) -> Decision:
        known: User = loaded.get(ref)
        if known.payer is not None:
            return Decision(answer={"payer": known.payer})
        return Decision(answer={"payer": payer}, changed=[known.with_(payer=payer)])

    found: str = transact(ctx, command.keyless, [ref], decide)["payer"]
    return found


def _known_as(method: Method, ctx: Context) -> PaymentMethod:
    return PaymentMethod(
        reference=method.reference,
        kind=method.kind,
        state=method.state,
        hint=method.hint,
        mandate=method.mandate,
        expires=method.expires,
        added_at=ctx.clock.now(),
    )


def _news(before: PaymentMethods, after: PaymentMethods, method: Method) -> bool:
    return before.find(method.reference) != after.find(method.reference) or before.default != after.default
