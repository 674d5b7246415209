"""Profiles: who a person is, sealed with their own key; and the UK's rules for what is written there."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Final

from shared.domain.documents import Day, Document, Ref, Value
from shared.domain.errors import TooYoung, WrongBirthDate, WrongPostcode

AGE_MIN: Final = 18
"""A minor is not bound by a promise of money (Family Law Reform Act 1969, s. 1)."""

AGE_MAX: Final = 120
"""Nobody alive is older; a birth date of the year 1026 is a slip of the finger."""

_POSTCODE: Final = re.compile(
    r"(GIR ?0AA|[A-PR-UWYZ]([0-9]{1,2}|[A-HK-Y][0-9]([0-9]|[ABEHMNPRV-Y])?|[0-9][A-HJKPS-UW])"
    r" ?[0-9][ABD-HJLNP-UW-Z]{2})"
)
"""The form of British Standard 7666, with the letters that Royal Mail never uses left out."""


class Address(Value):
    """Where a person lives, in the UK."""

    line_1: str
    line_2: str | None = None
    town: str
    postcode: str


class Details(Value):
    """What a person tells of themselves. `display_name` is what others in their circles read."""

    full_name: str
    display_name: str
    date_of_birth: Day
    address: Address
    phone: str
    bank_name: str | None = None


class Profile(Document):
    """profiles/{uid}: the details as one sealed text."""

    uid: str
    sealed: str
    updated_at: datetime

    @property
    def path(self) -> str:
        return profile_ref(self.uid).path


SEALED_AS_PROFILE: Final = "profile"
"""What the vault is told that the text is."""


def profile_ref(uid: str) -> Ref[Profile]:
    return Ref(Profile, f"profiles/{uid}")


class DisplayName(Document):
    """groups/{group}/names/{uid}: how a person is called in a circle, sealed with the circle's key."""

    group: str
    uid: str
    sealed: str

    @property
    def path(self) -> str:
        return display_name_ref(self.group, self.uid).path


def display_name_ref(group: str, uid: str) -> Ref[DisplayName]:
    return Ref(DisplayName, f"groups/{group}/names/{uid}")


def checked(details: Details, today: date) -> Details:
    """The details with one spelling for the postcode. Raises TooYoung, WrongBirthDate, WrongPostcode."""
    born = details.date_of_birth
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if born >= today or age > AGE_MAX:
        raise WrongBirthDate(field="date_of_birth")
    if age < AGE_MIN:
        raise TooYoung(field="date_of_birth", age=AGE_MIN)
    address = details.address.with_(postcode=postcode(details.address.postcode))
    return details.with_(address=address)


def postcode(text: str) -> str:
    """A postcode as Royal Mail writes it: "sw1a1aa" is "SW1A 1AA". Raises WrongPostcode."""
    found = "".join(text.upper().split())
    if not found.isascii() or not _POSTCODE.fullmatch(found):
        raise WrongPostcode(field="address.postcode")
    return f"{found[:-3]} {found[-3:]}"
