"""What an exception comes to: a refusal, 'try again', or a failure of ours; and how loud it is logged."""

from __future__ import annotations

import logging
from typing import Final

from shared.domain import errors
from shared.ports import (
    AnchorsUnavailable,
    OutcomeUnknown,
    PaymentOutcomeUnknown,
    PaymentRefused,
    PaymentsUnavailable,
    PublishFailed,
    QueueFailed,
    Stale,
    StoreUnavailable,
)
from shared.web.logs import FIELDS

log = logging.getLogger(__name__)

UNAVAILABLE: Final = (AnchorsUnavailable, StoreUnavailable, OutcomeUnknown, Stale, PublishFailed, QueueFailed)
PROCESSOR_UNAVAILABLE: Final = (PaymentsUnavailable, PaymentOutcomeUnknown)


def as_refusal(error: Exception) -> errors.Refusal | None:
    """The refusal that an exception comes to, or None if it is ours to explain."""
    if isinstance(error, errors.Refusal):
        return error
    if isinstance(error, UNAVAILABLE):
        return errors.TryAgainLater()
    if isinstance(error, PROCESSOR_UNAVAILABLE):
        return errors.ProcessorUnavailable()
    if isinstance(error, PaymentRefused):
        return errors.ProcessorRefused(reason=error.code)
    return None


def report(error: Exception) -> None:
    """Log an error that an answer is made of, as loud as it deserves."""
    if isinstance(error, errors.BadSettings):
        log.critical("%s", error)  # names settings, never values
    elif isinstance(error, errors.Broken):
        log.critical("broken: %s", error.code, exc_info=error, extra={FIELDS: {"facts": error.facts}})
    elif (refusal := as_refusal(error)) is None:
        log.critical("unexpected", exc_info=error)
    elif isinstance(refusal, errors.Busy):
        log.warning("unavailable: %s", refusal.code, exc_info=error)
    else:
        log.info("refused: %s", refusal.code)
