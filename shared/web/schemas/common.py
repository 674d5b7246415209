"""What the schemas of every area share: how input is read, how answers are written, and the small types.

Amounts are whole pence beside their currency, days are ISO 8601 text, moments ISO 8601 with an offset.
"""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ID_PATTERN: Final = r"^_?[A-Za-z0-9-][A-Za-z0-9_-]{0,126}$"
"""Our ids, Firebase's uids and Stripe's references: 128 is Firebase's limit, the longest of the three.

Two underscores in front are left to Firestore, which keeps names like __this__ to itself."""

ID_CHARACTERS: Final = r"_?[A-Za-z0-9-][A-Za-z0-9_-]{0,126}"


class Input(BaseModel):
    """What a client sends: no coercion ("5" is not 5), and a field that we do not know is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Answer(BaseModel):
    """What a client is given: every field stands here, and no other leaves the house."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Nothing(Input):
    """A request without fields: an empty body or `{}`."""


class PageRequest(Input):
    """Which page of a list. `cursor` is `next_cursor` of the page before."""

    cursor: str | None = Field(None, max_length=1024)
    limit: int = Field(25, ge=1, le=100)


T = TypeVar("T", bound=Answer)


class Page(Answer, Generic[T]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make one name read as another. Joiners (U+200C, U+200D) stay: Persian and Indian names need them."""


def normalised(text: str) -> str:
    """One spelling of a name (NFC), spaces tidied. Control and format characters hide what a name says."""
    if any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} for letter in text):
        raise ValueError("control characters are not allowed")
    if not _TURNING.isdisjoint(text):
        raise ValueError("characters that turn the direction of writing are not allowed")
    tidied = " ".join(unicodedata.normalize("NFC", text).split())
    if not tidied:
        raise ValueError("must not be blank")
    return tidied


def _return_url(text: str) -> str:
    """Where the processor sends a browser back to: https, or http on the person's own machine."""
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("must be a URL in printable ASCII")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    on_this_machine = parts.scheme == "http" and host in {"localhost", "127.0.0.1"}
    if not host or parts.username or not (parts.scheme == "https" or on_this_machine):
        raise ValueError("must be an https URL")
    return text


Id = Annotated[str, Field(pattern=ID_PATTERN)]
Currency = Literal["gbp"]
Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(normalised)]
ReturnUrl = Annotated[
    str, Field(max_length=2048, json_schema_extra={"format": "uri"}), AfterValidator(_return_url)
]
Amount = Annotated[int, Field(ge=0, strict=True)]
