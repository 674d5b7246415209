"""Seals personal data: AES-256-GCM with a key per owner, wrapped by a master key of Secret Manager."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final

from shared.domain.errors import Erased, TryAgainLater, Unreadable
from shared.domain.keys import Key, key_ref
from shared.ports import (
    AlreadyExists,
    Chance,
    Create,
    OutcomeUnknown,
    Secrets,
    SecretUnavailable,
    Stale,
    Store,
    Update,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MASTER: Final = "master-key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""NIST SP 800-38D: 96 random bits are safe for 2^32 messages under one key; a person has hundreds."""

FORMAT: Final = "v1"
TRIES_MAX: Final = 5


class AesVault:
    """`Vault` over the documents of keys/. Nothing unwrapped outlives a request: a destroyed key is gone."""

    def __init__(self, store: Store, secrets: Secrets, chance: Chance) -> None:
        self._store = store
        self._secrets = secrets
        self._chance = chance

    def sealer(self, owner: str) -> AesSealer:
        key = self._key(owner)
        keys = self._unwrapped(key)
        return AesSealer(owner, key.current, keys, self._chance, lambda: self._unwrapped(self._key(owner)))

    def rewrap(self, owner: str) -> bool:
        key = self._key(owner)
        if key.master == _name(self._master()):
            return False
        return self._replace(key, self._wrapped(key, self._unwrapped(key), key.current))

    def renew(self, owner: str, now: datetime) -> bool:
        key = self._key(owner)
        if len(key.versions) > 1:
            return False
        number = key.current + 1
        material = self._unwrapped(key) | {number: self._chance.token(KEY_BYTES)}
        return self._replace(key, self._wrapped(key, material, number).with_(renewed_at=now))

    def retire(self, owner: str, renewed_by: datetime) -> bool:
        key = self._key(owner)
        if len(key.versions) == 1 or key.renewed_at is None or key.renewed_at > renewed_by:
            return False
        current = {key.current: self._unwrapped(key)[key.current]}
        return self._replace(key, self._wrapped(key, current, key.current))

    def _key(self, owner: str) -> Key:
        """The owner's key, made at its first need. Raises Erased."""
        for _ in range(TRIES_MAX):
            (found,) = self._store.load(key_ref(owner).path)
            if found.data is not None:
                key = key_ref(owner).read(found.data)
                if key.destroyed_at is not None:
                    raise Erased
                return key
            blank = Key(owner=owner, versions={}, current=1, master="")
            new = self._wrapped(blank, {1: self._chance.token(KEY_BYTES)}, 1)
            try:
                self._store.commit([Create(new.path, new.data())])
            except (AlreadyExists, OutcomeUnknown):  # another request made it, or this one did
                continue
            return new
        raise TryAgainLater

    def _replace(self, key: Key, new: Key) -> bool:
        """False where somebody else changed the key meanwhile: the next round sees what is left to do."""
        (found,) = self._store.load(key.path)
        if found.data is None or found.data["revision"] != key.revision:
            return False
        try:
            self._store.commit([Update(new.path, new.data(), found.version)])
        except (Stale, OutcomeUnknown):
            return False
        return True

    def _wrapped(self, key: Key, material: dict[int, bytes], current: int) -> Key:
        master = self._master()
        versions = {
            str(number): _encode(_sealed(_aes(master), self._chance, raw, _wrapping(key.owner, number)))
            for number, raw in material.items()
        }
        return key.with_(versions=versions, current=current, master=_name(master), revision=key.revision + 1)

    def _unwrapped(self, key: Key) -> dict[int, bytes]:
        try:
            masters = self._secrets.accepted(MASTER)
        except SecretUnavailable as error:
            raise TryAgainLater from error
        master = next((one for one in masters if _name(one) == key.master), None)
        if master is None:
            raise Unreadable(owner=key.owner, about="its own key: the master key is not among those accepted")
        return {
            int(number): _opened(_aes(master), _decode(wrapped), key.owner, _wrapping(key.owner, int(number)))
            for number, wrapped in key.versions.items()
        }

    def _master(self) -> bytes:
        try:
            return self._secrets.current(MASTER)
        except SecretUnavailable as error:
            raise TryAgainLater from error


class AesSealer:
    """`Sealer` with one owner's keys, for as long as one request lasts."""

    def __init__(
        self,
        owner: str,
        current: int,
        keys: dict[int, bytes],
        chance: Chance,
        newest: Callable[[], dict[int, bytes]],
    ) -> None:
        self._owner = owner
        self._current = current
        self._keys = keys
        self._chance = chance
        self._newest = newest

    def seal(self, text: str, about: str) -> str:
        sealed = _sealed(
            _aes(self._keys[self._current]), self._chance, text.encode(), f"{self._owner}|{about}"
        )
        return f"{FORMAT}.{self._current}.{_encode(sealed)}"

    def open(self, sealed: str, about: str) -> str:
        try:
            format_, number, text = sealed.split(".")
            if int(number) > max(self._keys):  # the owner was given a new key since this request began
                self._keys = self._newest()
            key, raw = self._keys[int(number)], _decode(text)
        except (ValueError, KeyError):
            raise Unreadable(owner=self._owner, about=about) from None
        if format_ != FORMAT:
            raise Unreadable(owner=self._owner, about=about)
        return _opened(_aes(key), raw, self._owner, f"{self._owner}|{about}").decode()

    def is_current(self, sealed: str) -> bool:
        return sealed.startswith(f"{FORMAT}.{self._current}.")


def _aes(key: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of AES-256 has {KEY_BYTES} bytes")
    return AESGCM(key)


def _sealed(aes: AESGCM, chance: Chance, raw: bytes, about: str) -> bytes:
    nonce = chance.token(NONCE_BYTES)
    return nonce + aes.encrypt(nonce, raw, about.encode())


def _opened(aes: AESGCM, sealed: bytes, owner: str, about: str) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return aes.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
    except (InvalidTag, ValueError):
        raise Unreadable(owner=owner, about=about) from None


def _wrapping(owner: str, number: int) -> str:
    return f"key|{owner}|{number}"


def _name(master: bytes) -> str:
    """Which master key wrapped a key, without telling anything of it."""
    return hashlib.sha256(b"ajo master key" + master).hexdigest()[:16]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
