"""Thin events of the processor as messages: ids and a moment, nothing of what happened or to whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.domain.errors import MalformedBody
from shared.ports import ThinEvent

if TYPE_CHECKING:
    from shared.web.push import Message


class _Thin(BaseModel):
    """A thin event as it is published. Fields that a later version adds are passed over."""

    model_config = ConfigDict(extra="ignore")

    id: str
    type: str
    account: str | None
    object_id: str
    live: bool
    created_at: datetime


def thin_event_data(event: ThinEvent) -> dict[str, Any]:
    """A thin event as it is published."""
    return _Thin.model_validate(event, from_attributes=True).model_dump(mode="json")


def thin_event(message: Message) -> ThinEvent:
    """The thin event that a message holds. Raises MalformedBody."""
    try:
        return ThinEvent(**_Thin.model_validate(message.data).model_dump())
    except ValidationError:
        raise MalformedBody from None
