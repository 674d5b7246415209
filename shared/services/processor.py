"""What a person is told when the processor refuses or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.errors import ProcessorRefused, ProcessorUnavailable
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable
from shared.services.context import Context


@contextmanager
def asking(thing: str) -> Iterator[None]:
    """Ask the processor for something that moves no money: its refusals become ours."""
    try:
        yield
    except PaymentRefused as refused:
        raise ProcessorRefused(reason=f"{thing}, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence


def forget_method(ctx: Context, method: str) -> None:
    """Have a payment method forgotten at the processor. One that it has forgotten before, by a request whose
    answer was lost, is refused there, and gone all the same.

    Raises ProcessorRefused, ProcessorUnavailable.
    """
    with asking("payment method"):
        try:
            ctx.gateway.detach_method(method)
        except PaymentRefused:
            if ctx.gateway.method(method).payer is not None:
                raise
