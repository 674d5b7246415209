"""What a person is told when the processor refuses or does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.domain.errors import ProcessorRefused, ProcessorUnavailable
from shared.ports import PaymentOutcomeUnknown, PaymentRefused, PaymentsUnavailable


@contextmanager
def asking(thing: str) -> Iterator[None]:
    """Ask the processor for something that moves no money: its refusals become ours."""
    try:
        yield
    except PaymentRefused as refused:
        raise ProcessorRefused(reason=f"{thing}, {refused.code}") from refused
    except (PaymentOutcomeUnknown, PaymentsUnavailable) as silence:
        raise ProcessorUnavailable() from silence
