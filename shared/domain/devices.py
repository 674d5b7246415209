"""Devices and preferences: where a person is reached, how, when not, and in which language."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from shared.domain.documents import Document, Ref, Value
from shared.domain.words import Channel, Language

DEVICES_MAX: Final = 10
"""Somebody with more phones than this has old ones among them: the longest unseen gives way."""

UNSEEN: Final = timedelta(days=270)
"""Firebase Cloud Messaging takes a token for dead after 270 days without a connection."""

LONDON: Final = ZoneInfo("Europe/London")


class Device(Value):
    """A phone or browser, by the token that messages are sent to."""

    token: str
    platform: Literal["ios", "android", "web"]
    seen_at: datetime


class Preferences(Value):
    """How a person wants to be told. What the law wants told (a debit's notice) goes out in any case."""

    channels: list[Channel] = ["email", "push"]
    quiet_from: str | None = "21:00"
    quiet_until: str | None = "08:00"
    language: Language = "en"

    def is_quiet(self, moment: datetime) -> bool:
        """Whether the person wants no message at this moment, by the clock in London."""
        if self.quiet_from is None or self.quiet_until is None:
            return False
        now = moment.astimezone(LONDON).time()
        begins, ends = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        return begins <= now < ends if begins <= ends else now >= begins or now < ends


class Reach(Document):
    """reach/{uid}: a person's devices and preferences."""

    uid: str
    devices: list[Device] = []
    preferences: Preferences = Preferences()

    @property
    def path(self) -> str:
        return reach_ref(self.uid).path

    def with_device(self, device: Device) -> Reach:
        """With this device seen now; those long unseen, and those beyond the limit, are let go."""
        others = [one for one in self.devices if one.token != device.token]
        recent = [one for one in others if one.seen_at > device.seen_at - UNSEEN]
        newest = sorted([*recent, device], key=lambda one: one.seen_at)[-DEVICES_MAX:]
        return self.with_(devices=newest)

    def without_device(self, token: str) -> Reach:
        return self.with_(devices=[one for one in self.devices if one.token != token])


def reach_ref(uid: str) -> Ref[Reach]:
    return Ref(Reach, f"reach/{uid}")
