"""The one place that wires adapters to ports. Each part is made at its first use, once per instance.

A function pays only for what it touches: imports stand inside the makers, so that the webhook never loads
Firestore. Tests put their own parts in with `override`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from shared.services.context import Context

if TYPE_CHECKING:
    from shared.config import Settings
    from shared.ports import (
        Anchors,
        BankHolidays,
        CallerCheck,
        Chance,
        Clock,
        IdentityProvider,
        Mailer,
        PaymentGateway,
        Publisher,
        Secrets,
        Store,
        TaskQueue,
        Vault,
    )

gc.freeze()  # as `without_collection`: the web framework, which was loaded before us, stays

T = TypeVar("T")

_parts: dict[str, Any] = {}
_names: set[str] = set()
_lock = threading.RLock()  # a part may need another one


def _part(make: Callable[[], T]) -> Callable[[], T]:
    """Make it once per instance, at its first use, also when two threads ask at once."""
    name = make.__name__
    _names.add(name)

    def get() -> T:
        if name not in _parts:
            with _lock:
                if name not in _parts:
                    from shared.adapters.lazily import without_collection

                    with without_collection():
                        _parts[name] = make()
        made: T = _parts[name]
        return made

    return functools.update_wrapper(get, make)


@contextlib.contextmanager
def override(**parts: Any) -> Iterator[None]:
    """Use these parts, by the names of this module's functions, until the block ends.

    All else is made anew inside the block, and forgotten after it: `with override(store=MemoryStore()): …`
    """
    global _parts  # noqa: PLW0603 - one table per instance is what this module is
    if unknown := parts.keys() - _names:
        raise ValueError(f"There is no such part: {', '.join(sorted(unknown))}")
    before = _parts
    _parts = dict(parts)
    try:
        yield
    finally:
        _parts = before


@_part
def settings() -> Settings:
    """The settings. Raises BadSettings."""
    from shared.config import Settings

    return Settings.from_environment(os.environ)


@_part
def store() -> Store:
    from shared.adapters.firestore_store import FirestoreStore
    from shared.adapters.lazily import once

    project = settings().project

    def client() -> Any:
        from shared.adapters.firestore_client import Client

        return Client(project=project)  # finds the emulator by itself

    return FirestoreStore(once(client))


@_part
def gateway() -> PaymentGateway:
    from shared.adapters.stripe_gateway import StripeGateway

    return StripeGateway(
        secrets(),
        live=settings().production,
        return_url=f"{settings().public_url}/authenticated",
        api_base=settings().stripe_api_base,
    )


@_part
def tasks() -> TaskQueue:
    from shared.adapters.cloud_tasks import CloudTaskQueue

    return CloudTaskQueue(
        settings().task_queue_path,
        settings().task_url,
        settings().oidc_audiences[0],
        settings().invoker_emails[0],
        settings().tasks_host,
    )


@_part
def publisher() -> Publisher:
    from shared.adapters.pubsub import PubSubPublisher

    return PubSubPublisher(settings().project, settings().pubsub_emulator_host)


@_part
def clock() -> Clock:
    from shared.adapters.clock import LocalClock, SystemClock

    file = settings().clock_file
    return SystemClock() if file is None else LocalClock(file)


@_part
def chance() -> Chance:
    from shared.adapters.chance import SystemChance

    return SystemChance()


@_part
def holidays() -> BankHolidays:
    from shared.adapters.bank_holidays import EnglandBankHolidays

    return EnglandBankHolidays()


@_part
def secrets() -> Secrets:
    from shared.adapters.secret_manager import SecretManagerSecrets

    return SecretManagerSecrets(settings().secrets, settings().secrets_host)


@_part
def vault() -> Vault:
    from shared.adapters.vault import AesVault

    return AesVault(store(), secrets(), chance())


@_part
def mailer() -> Mailer:
    from shared.adapters.smtp_mailer import mailer_at

    return mailer_at(settings().smtp_host, settings().mail_from, settings().smtp_user, secrets())


@_part
def anchors() -> Anchors:
    from shared.adapters.anchors import anchors_at

    return anchors_at(settings().anchors, settings().project)


@_part
def identity_provider() -> IdentityProvider:
    from shared.adapters.firebase_auth import FirebaseIdentityProvider

    return FirebaseIdentityProvider(
        settings().project,
        check_revoked=settings().check_revoked_tokens,
        emulated=settings().auth_emulator_host is not None,
    )


@_part
def caller_check() -> CallerCheck:
    from shared.adapters.oidc import OidcCallerCheck

    return OidcCallerCheck(
        settings().oidc_audiences, settings().issuers, settings().oidc_certs_url, settings().invoker_emails
    )


@_part
def two_people_above_pence() -> int:
    return settings().two_people_above_pence


@_part
def fees() -> Mapping[str, int]:
    return {
        "platform_fee_pence": settings().platform_fee_pence,
        "added_fee_pence": settings().added_fee_pence,
    }


class _Wired(Context):
    """A context whose ports are the parts above, each made when a use case first touches it."""

    def __init__(self) -> None:
        """Nothing is made yet."""

    @property
    def store(self) -> Store:
        return store()

    @property
    def gateway(self) -> PaymentGateway:
        return gateway()

    @property
    def tasks(self) -> TaskQueue:
        return tasks()

    @property
    def publisher(self) -> Publisher:
        return publisher()

    @property
    def clock(self) -> Clock:
        return clock()

    @property
    def chance(self) -> Chance:
        return chance()

    @property
    def holidays(self) -> BankHolidays:
        return holidays()

    @property
    def secrets(self) -> Secrets:
        return secrets()

    @property
    def anchors(self) -> Anchors:
        return anchors()

    @property
    def vault(self) -> Vault:
        return vault()

    @property
    def mailer(self) -> Mailer:
        return mailer()

    @property
    def two_people_above_pence(self) -> int | None:
        return two_people_above_pence()

    @property
    def fees(self) -> Mapping[str, int]:
        return fees()


@_part
def context() -> Context:
    """What every use case is given."""
    return _Wired()


if "K_SERVICE" in os.environ:
    # Cloud Run's own mark. An instance that cannot work does not start: the deployment fails with the name of
    # the setting, and the revision before goes on serving.
    settings()
