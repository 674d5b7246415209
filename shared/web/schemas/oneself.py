"""What a person tells, asks and is told about themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from shared.domain.words import Ability, Channel, ConsentPurpose, IdentityState, Language
from shared.web.schemas.common import Answer, Id, Input, Name, ReturnUrl

# --- who one is -------------------------------------------------------------------------------------------


def _gb_phone(text: str) -> str:
    """A British phone number as E.164 has it: "07911 123456" is "+447911123456"."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, "GB")
    except phonenumbers.NumberParseException:
        raise ValueError("is not a phone number") from None
    if number.country_code != 44 or not phonenumbers.is_valid_number(number):
        raise ValueError("is not a British phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


GbPhone = Annotated[str, Field(min_length=5, max_length=30), AfterValidator(_gb_phone)]


class NewAddress(Input):
    """Where a person lives, in the UK."""

    line_1: Name
    line_2: Name | None = None
    town: Name
    postcode: str = Field(min_length=5, max_length=10)


class NewProfile(Input):
    """What a person tells of themselves, whole: what they told before is replaced."""

    full_name: Name
    display_name: Name = Field(description="What others in your circles read.")
    date_of_birth: date = Field(description="You need to be 18 or older.")
    address: NewAddress
    phone: GbPhone
    bank_name: Name | None = None


class Address(Answer):
    """Where a person lives."""

    line_1: str
    line_2: str | None
    town: str
    postcode: str


class Profile(Answer):
    """A profile, as its own person reads it. Nobody else does."""

    full_name: str
    display_name: str
    date_of_birth: date
    address: Address
    phone: str
    bank_name: str | None
    updated_at: datetime
    revision: int


class NewIdentityCheck(Input):
    """Where the browser goes when the person is done."""

    return_url: ReturnUrl


class IdentityStanding(Answer):
    """What we know of a person, what that allows, and where they go on with a check."""

    state: IdentityState
    allows: list[Ability]
    url: str | None = None


# --- the session ------------------------------------------------------------------------------------------


class Session(Answer):
    """A browser's session: send `csrf_token` as X-CSRF-Token with everything that changes something."""

    uid: Id
    csrf_token: str
    idle_seconds: int


class Done(Answer):
    """It is done."""

    done: Literal[True] = True


# --- consent, rights --------------------------------------------------------------------------------------


class NewConsent(Input):
    """An answer to the text of this purpose and version; `given` false takes an earlier yes back."""

    purpose: ConsentPurpose
    version: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}$")
    given: bool


class ConsentAnswer(Answer):
    """One answer, as it was given."""

    purpose: ConsentPurpose
    version: str
    given: bool
    at: datetime


class ConsentText(Answer):
    """A text of today, and whether the person's yes to it stands."""

    purpose: ConsentPurpose
    version: str
    stands: bool


class Consents(Answer):
    """All answers of a person, oldest first."""

    answers: list[ConsentAnswer]
    texts: list[ConsentText]


class AutomatedDecisions(Answer):
    """What a program decides here, what it cannot, and the right to a person."""

    notice: str


class ExportRequest(Input):
    """`text` gives the readable form alone, as a file."""

    format: Literal["json", "text"] = "json"


class Export(Answer):
    """All that we hold of a person: as data to take along, and as text to read."""

    data: dict[str, Any]
    readable: str


class Erasure(Answer):
    """The person's key is destroyed."""

    erased: Literal[True]


# --- where one is reached ---------------------------------------------------------------------------------

DeviceToken = Annotated[str, Field(pattern=r"^[A-Za-z0-9:_-]{20,300}$")]
Platform = Literal["ios", "android", "web"]
ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class NewDevice(Input):
    """A device by its token at Firebase Cloud Messaging."""

    token: DeviceToken
    platform: Platform


class OldDevice(Input):
    """A device that is to be reached no longer."""

    token: DeviceToken


class Device(Answer):
    """A device, by what its holder knows it by."""

    platform: Platform
    seen_at: datetime


class NewPreferences(Input):
    """How a person wants to be told. Quiet hours are by the clock in London; null for none."""

    channels: list[Channel] = Field(max_length=3)
    quiet_from: ClockTime | None
    quiet_until: ClockTime | None
    language: Language

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: list[Channel]) -> list[Channel]:
        if len(set(channels)) < len(channels):
            raise ValueError("each channel stands here once")
        return channels

    @model_validator(mode="after")
    def _quiet_has_two_ends(self) -> NewPreferences:
        if (self.quiet_from is None) is not (self.quiet_until is None) or (
            self.quiet_from is not None and self.quiet_from == self.quiet_until
        ):
            raise ValueError("quiet hours have a beginning and another end, or neither")
        return self


class Preferences(Answer):
    """How a person wants to be told."""

    channels: list[Channel]
    quiet_from: str | None
    quiet_until: str | None
    language: Language


class Reach(Answer):
    """Where and how a person is reached."""

    devices: list[Device]
    preferences: Preferences
