"""The one family of errors: what each keeps of what was refused."""

from __future__ import annotations

import pickle

import pytest

from shared.domain.errors import AjoError, FactChanged, IdempotencyKeyReused, NoSuchThing, WrongAmount


@pytest.mark.parametrize(
    "error",
    [
        FactChanged(fact="txn_1"),
        IdempotencyKeyReused(),
        NoSuchThing(thing="circle"),
        WrongAmount(field="amount_pence", amount_pence=7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_the_way_between_two_processes(error: AjoError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
