"""Prefixed ids. Random where a thing is new, derived where the thing itself says which one it is."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Final

_LETTERS: Final = 20
"""20 base-32 letters are 100 bits: two derived ids meet by chance in none of 2^50 things."""


def _letters(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower().rstrip("=")[:_LETTERS]


def new_id(prefix: str, randomness: bytes) -> str:
    """A fresh id from 13 random bytes or more."""
    return f"{prefix}_{_letters(randomness)}"


@lru_cache(maxsize=4096)  # one request derives the same few again and again
def derived_id(prefix: str, *parts: str | int) -> str:
    """The id of the one thing that `parts` describe: who derives it twice meets the same document."""
    return f"{prefix}_{_letters(hashlib.sha256(chr(31).join(map(str, parts)).encode()).digest())}"


def contribution_id(group: str, cycle: int, uid: str) -> str:
    return derived_id("con", group, cycle, uid)


def attempt_id(contribution: str, number: int) -> str:
    return derived_id("att", contribution, number)


def payout_id(group: str, cycle: int, number: int) -> str:
    """The `number`-th payout of a cycle: a voided one is followed by the next."""
    return derived_id("pay", group, cycle, number)


def top_up_id(debt: str, number: int) -> str:
    """The `number`-th part of a debt that reached its creditor (invariant 6)."""
    return derived_id("pay", debt, number)


def sending_id(payout: str, number: int) -> str:
    return derived_id("snd", payout, number)


def debt_id(contribution: str, cause: str) -> str:
    return derived_id("dbt", contribution, cause)


SHARDS: Final = 16
"""Index entries of a rising moment are spread over as many ranges: 500 writes a second for each of them."""


def shard_of(id_: str) -> int:
    """Which range of a rising index a document's entries go to."""
    return hashlib.sha256(id_.encode()).digest()[0] % SHARDS
