"""The settings, from the environment: one class. A missing or foolish one stops the start with its name.

In `local` every outside service is a stand-in on this machine, so that nothing can reach the real ones by
mistake; everywhere else no stand-in may be named, so that nothing can be made to trust one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.domain.errors import BadSettings

Environment = Literal["local", "development", "staging", "production"]

GOOGLE_ISSUER = "https://accounts.google.com"
GOOGLE_CERTS_URL = "https://www.googleapis.com/oauth2/v1/certs"

SECRET_PREFIX = "AJO_SECRET_"  # noqa: S105 - the name of a setting
NEEDED_SECRETS = (
    "stripe-secret-key",
    "stripe-webhook-secret",
    "stripe-connect-webhook-secret",
    "master-key",
    "invitation-key",
    "fingerprint-key",
    "session-key",
)
_PINNED_VERSION = re.compile(r"projects/[^/]+/secrets/[^/]+/versions/[1-9][0-9]*")


TWO_PEOPLE_ABOVE_PENCE = 100_000
"""More than this goes nowhere by itself or by one of staff: a pot waits until two have let it go, a refund or
a reversal needs their consent. £1,000 is the largest pot of a circle of £100. Pots of £500 and £800 circles
begin at £2,500: they are few, worth a thief's while, and each is looked at."""

TWO_PEOPLE_ABOVE_MAX_PENCE = 800_000
"""An environment may raise it, but not beyond the largest pot that there is: so it is never switched off."""


def _list(value: Any) -> Any:
    """'a, b' as ('a', 'b')."""
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _url(value: Any) -> Any:
    """An address, always without the slash at its end."""
    if isinstance(value, str) and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValueError("is not an http or https address")
    return value.rstrip("/") if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_list)]
Url = Annotated[str, BeforeValidator(_url)]


class Settings(BaseModel):
    """Each field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    environment: Environment = Field(alias="AJO_ENVIRONMENT")
    project: str = Field(alias="GOOGLE_CLOUD_PROJECT")
    region: str = Field("europe-west2", alias="AJO_REGION")
    public_url: Url = Field(alias="AJO_PUBLIC_URL")
    cors_origins: Names = Field((), alias="AJO_CORS_ORIGINS")
    check_revoked_tokens: bool = Field(True, alias="AJO_CHECK_REVOKED_TOKENS")
    staff_second_factor: bool = Field(True, alias="AJO_STAFF_SECOND_FACTOR")
    app_check: bool = Field(False, alias="AJO_APP_CHECK")

    # Who may call the functions that only Cloud Tasks and Pub/Sub call, and where tasks go.
    # Tasks are made for the first audience; Eventarc makes its tokens for each function's own address.
    oidc_audiences: Annotated[Names, Field(min_length=1)] = Field(alias="AJO_OIDC_AUDIENCE")
    oidc_issuer: Url = Field(GOOGLE_ISSUER, alias="AJO_OIDC_ISSUER")
    oidc_certs_url: Url = Field(GOOGLE_CERTS_URL, alias="AJO_OIDC_CERTS_URL")
    invoker_emails: Annotated[Names, Field(min_length=1)] = Field(alias="AJO_INVOKER_EMAIL")
    tasks_queue: str = Field("submit", alias="AJO_TASKS_QUEUE", pattern=r"^[A-Za-z0-9-]{1,100}$")
    submit_url: Url | None = Field(None, alias="AJO_SUBMIT_URL")

    two_people_above_pence: int = Field(
        TWO_PEOPLE_ABOVE_PENCE, alias="AJO_TWO_PEOPLE_ABOVE_PENCE", ge=0, le=TWO_PEOPLE_ABOVE_MAX_PENCE
    )

    # The platform's fees, as terms of circles that are started from now on: each agrees to them at its lock.
    # On top of a contribution at most what a card payment of £800 costs, £12.20; from a pot at most £25.
    added_fee_pence: int = Field(0, alias="AJO_ADDED_FEE_PENCE", ge=0, le=1_220)
    platform_fee_pence: int = Field(0, alias="AJO_PLATFORM_FEE_PENCE", ge=0, le=2_500)

    # Where heads of audit chains are written down for good: gs://bucket, or in local a folder.
    anchors: str | None = Field(None, alias="AJO_ANCHORS", pattern=r"^(gs://[a-z0-9._-]{3,63}|/.+)$")

    # Where e-mail is handed over, host:port; outside local by STARTTLS and with the secret smtp-password.
    smtp_host: str | None = Field(None, alias="AJO_SMTP_HOST", pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")
    smtp_user: str | None = Field(None, alias="AJO_SMTP_USER")
    mail_from: str | None = Field(None, alias="AJO_MAIL_FROM", pattern=r"^[^@\s]+@[^@\s]+$")

    # Stand-ins on this machine, for `local` alone.
    firestore_emulator_host: str | None = Field(None, alias="FIRESTORE_EMULATOR_HOST")
    pubsub_emulator_host: str | None = Field(None, alias="PUBSUB_EMULATOR_HOST")
    auth_emulator_host: str | None = Field(None, alias="FIREBASE_AUTH_EMULATOR_HOST")
    tasks_host: str | None = Field(None, alias="AJO_TASKS_HOST")
    secrets_host: str | None = Field(None, alias="AJO_SECRETS_HOST")
    stripe_api_base: Url | None = Field(None, alias="AJO_STRIPE_API_BASE")
    clock_file: Path | None = Field(None, alias="AJO_CLOCK_FILE")

    # Pinned versions by the secret's short name: the current one first, then, while it rotates, the previous.
    # AJO_SECRET_MASTER_KEY=projects/p/secrets/master-key/versions/2,projects/p/secrets/master-key/versions/1
    secrets: dict[str, Names] = Field(default_factory=dict)

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def task_url(self) -> str:
        """Where Cloud Tasks posts to: the `submit` function."""
        return self.submit_url or f"{self.public_url}/_internal/submit"

    @property
    def task_queue_path(self) -> str:
        return f"projects/{self.project}/locations/{self.region}/queues/{self.tasks_queue}"

    @property
    def issuers(self) -> tuple[str, ...]:
        """Google writes its own name with and without the scheme."""
        return (self.oidc_issuer, self.oidc_issuer.removeprefix("https://"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises BadSettings, with every fault that there is. A blank variable is as good as none."""
        given = {name: value.strip() for name, value in environment.items() if value.strip()}
        aliases = [field.alias for field in cls.model_fields.values() if field.alias]
        values: dict[str, Any] = {alias: given[alias] for alias in aliases if alias in given}
        values["secrets"] = {
            name.removeprefix(SECRET_PREFIX).lower().replace("_", "-"): value
            for name, value in given.items()
            if name.startswith(SECRET_PREFIX)
        }
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise BadSettings(*map(_sentence, error.errors())) from None
        if faults := _faults(settings):
            raise BadSettings(*faults)
        return settings


def _sentence(fault: Any) -> str:
    """Of a variable that is missing or unusable. Its value stays out: it may be a secret put by mistake."""
    name = fault["loc"][0]
    if fault["type"] == "missing":
        return f"{name} is missing."
    return f"{name} cannot be used: {fault['msg'].removeprefix('Value error, ')}."


_STAND_INS = {
    "firestore_emulator_host": "FIRESTORE_EMULATOR_HOST",
    "pubsub_emulator_host": "PUBSUB_EMULATOR_HOST",
    "auth_emulator_host": "FIREBASE_AUTH_EMULATOR_HOST",
    "tasks_host": "AJO_TASKS_HOST",
    "secrets_host": "AJO_SECRETS_HOST",
    "stripe_api_base": "AJO_STRIPE_API_BASE",
    "clock_file": "AJO_CLOCK_FILE",
}
# Stripe's test mode is a stand-in by itself, and a calendar that does not jump is no danger.
_OPTIONAL_STAND_INS = {"stripe_api_base", "clock_file"}


def _mail_faults(settings: Settings) -> list[str]:
    """No mail leaves this machine from `local`, and none goes in the clear from anywhere else."""
    host = (settings.smtp_host or "").partition(":")[0]
    if not host:
        return ["AJO_SMTP_HOST is missing: production sends e-mail."] if settings.production else []
    faults = [] if settings.mail_from else ["AJO_MAIL_FROM is missing: an e-mail has a sender."]
    if (host in _THIS_MACHINE) != (settings.environment == "local"):
        faults.append("AJO_SMTP_HOST must be this machine in local, and must not be elsewhere.")
    if settings.environment != "local" and not settings.smtp_user:
        faults.append(
            "AJO_SMTP_USER is missing: outside local a mail server wants to know who hands it mail."
        )
    if settings.smtp_user and "smtp-password" not in settings.secrets:
        faults.append(f"{SECRET_PREFIX}SMTP_PASSWORD is missing.")
    return faults


_THIS_MACHINE = {"127.0.0.1", "localhost"}


def _faults(settings: Settings) -> list[str]:
    """What each setting alone cannot tell."""
    faults = [
        f"{SECRET_PREFIX}{name.upper().replace('-', '_')} must name versions by number, like "
        f"projects/p/secrets/{name}/versions/1."
        for name, versions in settings.secrets.items()
        if not versions or not all(map(_PINNED_VERSION.fullmatch, versions))
    ]
    local = settings.environment == "local"
    for field, name in _STAND_INS.items():
        named = getattr(settings, field) is not None
        if local and not named and field not in _OPTIONAL_STAND_INS:
            faults.append(f"{name} is missing: in local nothing may reach the real service.")
        if named and not local:
            faults.append(f"{name} is set, but a stand-in may be trusted in local alone.")
    faults += _mail_faults(settings)
    if local:
        return faults
    if settings.production and settings.anchors is None:
        faults.append("AJO_ANCHORS is missing: production writes the heads of its audit chains to a bucket.")
    if settings.anchors is not None and not settings.anchors.startswith("gs://"):
        faults.append("AJO_ANCHORS must name a bucket (gs://…) outside local.")
    faults += [
        f"{SECRET_PREFIX}{name.upper().replace('-', '_')} is missing."
        for name in NEEDED_SECRETS
        if name not in settings.secrets
    ]
    if not settings.staff_second_factor:
        faults.append("AJO_STAFF_SECOND_FACTOR may be false in local alone.")
    if settings.oidc_issuer != GOOGLE_ISSUER:
        faults.append(f"AJO_OIDC_ISSUER must be {GOOGLE_ISSUER} outside local.")
    if settings.oidc_certs_url != GOOGLE_CERTS_URL:
        faults.append(f"AJO_OIDC_CERTS_URL must be {GOOGLE_CERTS_URL} outside local.")
    for url, name in ((settings.public_url, "AJO_PUBLIC_URL"), (settings.task_url, "AJO_SUBMIT_URL")):
        if not url.startswith("https://"):
            faults.append(f"{name} must be https outside local.")
    if any(not origin.startswith("https://") for origin in settings.cors_origins):
        faults.append("AJO_CORS_ORIGINS must name https origins outside local, each by itself.")
    return faults
