"""What stops a start, and the sentence that it gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.config import NEEDED_SECRETS, Settings
from shared.domain.errors import BadSettings

ROOT = Path(__file__).parents[3]

LOCAL = {
    "AJO_ENVIRONMENT": "local",
    "GOOGLE_CLOUD_PROJECT": "demo-ajo",
    "AJO_PUBLIC_URL": "http://127.0.0.1:8080/",
    "AJO_OIDC_AUDIENCE": "http://127.0.0.1:8080",
    "AJO_OIDC_ISSUER": "http://127.0.0.1:8080/_local",
    "AJO_OIDC_CERTS_URL": "http://127.0.0.1:8080/_local/certs",
    "AJO_INVOKER_EMAIL": "invoker@demo-ajo.test",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
    "PUBSUB_EMULATOR_HOST": "127.0.0.1:2",
    "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:3",
    "AJO_TASKS_HOST": "127.0.0.1:4",
    "AJO_SECRETS_HOST": "127.0.0.1:4",
    "AJO_STRIPE_API_BASE": "http://127.0.0.1:5",
    "AJO_CLOCK_FILE": "/tmp/clock",  # noqa: S108 - only its name is used
}
PRODUCTION = {
    "AJO_ENVIRONMENT": "production",
    "GOOGLE_CLOUD_PROJECT": "ajo",
    "AJO_PUBLIC_URL": "https://ajo.example",
    "AJO_OIDC_AUDIENCE": "https://ajo.example",
    "AJO_INVOKER_EMAIL": "tasks@ajo.example, push@ajo.example",
    "AJO_SUBMIT_URL": "https://submit.example",
    "AJO_ANCHORS": "gs://ajo-audit-heads",
    "AJO_SMTP_HOST": "smtp.example:587",
    "AJO_SMTP_USER": "ajo",
    "AJO_MAIL_FROM": "ajo@ajo.example",
    "AJO_SECRET_SMTP_PASSWORD": "projects/1/secrets/smtp-password/versions/1",
    **{
        f"AJO_SECRET_{name.upper().replace('-', '_')}": f"projects/1/secrets/{name}/versions/1"
        for name in NEEDED_SECRETS
    },
    "AJO_SECRET_MASTER_KEY": (
        "projects/1/secrets/master-key/versions/2, projects/1/secrets/master-key/versions/1"
    ),
}


def test_local_settings() -> None:
    settings = Settings.from_environment(LOCAL)
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.task_url == "http://127.0.0.1:8080/_internal/submit"
    assert settings.task_queue_path == "projects/demo-ajo/locations/europe-west2/queues/submit"
    assert settings.clock_file == Path(LOCAL["AJO_CLOCK_FILE"])
    assert settings.invoker_emails == ("invoker@demo-ajo.test",)
    assert not settings.production


def test_production_settings() -> None:
    settings = Settings.from_environment(PRODUCTION)
    assert settings.production
    assert settings.task_url == "https://submit.example"
    assert settings.issuers == ("https://accounts.google.com", "accounts.google.com")
    assert settings.invoker_emails == ("tasks@ajo.example", "push@ajo.example")
    assert settings.secrets["master-key"] == (
        "projects/1/secrets/master-key/versions/2",
        "projects/1/secrets/master-key/versions/1",
    )


@pytest.mark.parametrize(
    "name",
    ["AJO_ENVIRONMENT", "GOOGLE_CLOUD_PROJECT", "AJO_PUBLIC_URL", "AJO_OIDC_AUDIENCE", "AJO_INVOKER_EMAIL"],
)
@pytest.mark.parametrize("value", [None, " "])
def test_a_missing_or_blank_setting_is_named(name: str, value: str | None) -> None:
    environment = {key: given for key, given in PRODUCTION.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(BadSettings) as refusal:
        Settings.from_environment(environment)
    assert str(refusal.value) == f"{name} is missing."


@pytest.mark.parametrize("name", NEEDED_SECRETS)
def test_a_secret_that_no_version_is_pinned_of_is_named(name: str) -> None:
    variable = f"AJO_SECRET_{name.upper().replace('-', '_')}"
    with pytest.raises(BadSettings, match=f"{variable} is missing"):
        Settings.from_environment({key: value for key, value in PRODUCTION.items() if key != variable})


@pytest.mark.parametrize("environment", [LOCAL, PRODUCTION])
def test_two_people_look_at_large_sums_and_nobody_can_switch_it_off(environment: dict[str, str]) -> None:
    assert Settings.from_environment(environment).two_people_above_pence == 100_000
    name = "AJO_TWO_PEOPLE_ABOVE_PENCE"
    assert Settings.from_environment(environment | {name: "0"}).two_people_above_pence == 0
    with pytest.raises(BadSettings, match=name):
        Settings.from_environment(environment | {name: "800001"})


@pytest.mark.parametrize("value", ["false", "no", "0"])
def test_staff_need_a_second_factor_outside_local(value: str) -> None:
    with pytest.raises(BadSettings, match="AJO_STAFF_SECOND_FACTOR"):
        Settings.from_environment({**PRODUCTION, "AJO_STAFF_SECOND_FACTOR": value})
    assert not Settings.from_environment({**LOCAL, "AJO_STAFF_SECOND_FACTOR": value}).staff_second_factor


def test_an_instance_in_the_cloud_does_not_start_without_its_settings() -> None:
    environment = {**PRODUCTION, "K_SERVICE": "users", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", "import shared.bootstrap"]
    started = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    del environment["AJO_SECRET_MASTER_KEY"]
    refused = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "AJO_SECRET_MASTER_KEY is missing." in refused.stderr


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(BadSettings) as refusal:
        Settings.from_environment({"AJO_ENVIRONMENT": "produktion"})
    assert "AJO_ENVIRONMENT cannot be used" in str(refusal.value)
    assert "AJO_PUBLIC_URL is missing." in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1"),
        ("PUBSUB_EMULATOR_HOST", "127.0.0.1:1"),
        ("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1"),
        ("AJO_TASKS_HOST", "127.0.0.1:1"),
        ("AJO_SECRETS_HOST", "127.0.0.1:1"),
        ("AJO_STRIPE_API_BASE", "https://api.stripe.com"),
        ("AJO_CLOCK_FILE", "clock"),
        ("AJO_OIDC_ISSUER", "https://accounts.google.com.evil.example"),
        ("AJO_OIDC_CERTS_URL", "https://evil.example/certs"),
        ("AJO_PUBLIC_URL", "http://ajo.example"),
        ("AJO_SUBMIT_URL", "http://submit.example"),
        ("AJO_CORS_ORIGINS", "*"),
        ("AJO_CORS_ORIGINS", "https://ajo.example, http://ajo.example"),
    ],
)
@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_outside_local_nothing_may_stand_in(environment: str, name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        Settings.from_environment({**PRODUCTION, "AJO_ENVIRONMENT": environment, name: value})


@pytest.mark.parametrize(
    "name",
    [
        "FIRESTORE_EMULATOR_HOST",
        "PUBSUB_EMULATOR_HOST",
        "FIREBASE_AUTH_EMULATOR_HOST",
        "AJO_TASKS_HOST",
        "AJO_SECRETS_HOST",
    ],
)
def test_in_local_nothing_reaches_the_real_service(name: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} is missing"):
        Settings.from_environment({key: value for key, value in LOCAL.items() if key != name})


@pytest.mark.parametrize("name", ["AJO_STRIPE_API_BASE", "AJO_CLOCK_FILE"])
def test_local_may_use_stripes_test_mode_and_real_time(name: str) -> None:
    Settings.from_environment({key: value for key, value in LOCAL.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AJO_SECRET_MASTER_KEY", "projects/1/secrets/master-key/versions/latest"),
        ("AJO_SECRET_MASTER_KEY", "the key itself"),
        ("AJO_SECRET_MASTER_KEY", ","),
        ("AJO_PUBLIC_URL", "ajo.example"),
        ("AJO_TASKS_QUEUE", "a/b"),
        ("AJO_CHECK_REVOKED_TOKENS", "perhaps"),
    ],
)
def test_an_unusable_setting_is_named_and_not_quoted(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name) as refusal:
        Settings.from_environment({**PRODUCTION, name: value})
    assert value == "," or value not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"AJO_SMTP_HOST": ""}, "AJO_SMTP_HOST is missing"),
        ({"AJO_SMTP_HOST": "127.0.0.1:25"}, "AJO_SMTP_HOST must be this machine in local"),
        ({"AJO_SMTP_HOST": "smtp.example"}, "AJO_SMTP_HOST cannot be used"),
        ({"AJO_SMTP_USER": ""}, "AJO_SMTP_USER is missing"),
        ({"AJO_SECRET_SMTP_PASSWORD": ""}, "AJO_SECRET_SMTP_PASSWORD is missing"),
        ({"AJO_MAIL_FROM": ""}, "AJO_MAIL_FROM is missing"),
    ],
)
def test_production_hands_mail_over_sealed_and_by_name(changes: dict[str, str], fault: str) -> None:
    with pytest.raises(BadSettings, match=fault):
        Settings.from_environment(PRODUCTION | changes)


def test_no_mail_leaves_this_machine_from_local() -> None:
    here = {"AJO_SMTP_HOST": "127.0.0.1:2525", "AJO_MAIL_FROM": "ajo@example.com"}
    assert Settings.from_environment(LOCAL | here).smtp_host == "127.0.0.1:2525"
    with pytest.raises(BadSettings, match="AJO_SMTP_HOST must be this machine in local"):
        Settings.from_environment(LOCAL | here | {"AJO_SMTP_HOST": "smtp.example:587"})
