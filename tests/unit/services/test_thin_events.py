"""Thin events as messages: read as they were written, also by a version before; all else is unreadable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.errors import MalformedBody
from shared.ports import ThinEvent
from shared.services.process_payment_event import as_event, as_message

EVENT = ThinEvent("evt_1", "charge.refunded", "acct_1", "ch_1", False, datetime(2027, 6, 1, 9, tzinfo=UTC))


@pytest.mark.parametrize("account", ["acct_1", None])
def test_a_message_is_read_as_it_was_written(account: str | None) -> None:
    message = as_message(EVENT) | {"account": account}
    assert as_message(as_event(message)) == message


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert as_event(as_message(EVENT) | {"later": 1}) == EVENT


@pytest.mark.parametrize(
    "change",
    [
        *({name: 1} for name in as_message(EVENT)),
        *({name: None} for name in as_message(EVENT) if name != "account"),
        {"created_at": "no moment"},
        {"live": "false"},
    ],
)
def test_a_field_of_another_kind_is_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedBody):
        as_event(as_message(EVENT) | change)


@pytest.mark.parametrize("field", as_message(EVENT))
def test_what_lacks_a_field_is_unreadable(field: str) -> None:
    message = as_message(EVENT)
    del message[field]
    with pytest.raises(MalformedBody):
        as_event(message)
