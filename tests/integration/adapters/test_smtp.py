"""Mails handed to a real SMTP server on this machine: in the clear, and by STARTTLS with a password."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.mail import MailSink, serving
from infra.local.process import free_port
from shared.adapters.smtp_mailer import NoMailer, SmtpMailer, mailer_at
from shared.ports import Mail, MailFailed

MAIL = Mail(
    "zoë@example.org".replace("ë", "e"),
    "You are invited",
    "Hello Ọláolúwa,\n\n    https://ajo.test/join#abc\n",
)


class Secrets:
    """One password."""

    def __init__(self, password: str = "hush") -> None:  # noqa: S107 - of nothing
        self.password = password

    def current(self, name: str) -> bytes:
        assert name == "smtp-password"
        return self.password.encode()

    def accepted(self, name: str) -> list[bytes]:
        return [self.current(name)]


@pytest.fixture
def sink() -> MailSink:
    return MailSink()


@pytest.fixture
def port(sink: MailSink) -> Iterator[int]:
    found = free_port()
    with serving(sink, found):
        yield found


def test_a_mail_arrives_as_it_was_written(sink: MailSink, port: int) -> None:
    mailer_at(f"127.0.0.1:{port}", "ajo@example.com", None, Secrets()).send(MAIL)
    assert sink.mails(MAIL.to) == [
        {"to": MAIL.to, "sender": "ajo@example.com", "subject": MAIL.subject, "text": MAIL.text}
    ]
    assert sink.mails("nobody@example.org") == []


@pytest.mark.parametrize("address", ["gone@refused.invalid", "a@example.org\nBcc: b@example.org"])
def test_an_address_that_cannot_be_is_told_from_trouble_that_may_pass(
    sink: MailSink, port: int, address: str
) -> None:
    mailer = SmtpMailer("127.0.0.1", port, "ajo@example.com", None, Secrets())
    with pytest.raises(MailFailed) as failed:
        mailer.send(Mail(address, "s", "t"))
    assert failed.value.refused
    assert address not in str(failed.value)
    assert sink.mails() == []


def test_without_a_server_it_may_pass_later() -> None:
    with pytest.raises(MailFailed) as failed:
        SmtpMailer("127.0.0.1", free_port(), "ajo@example.com", None, Secrets()).send(MAIL)
    assert not failed.value.refused
    assert isinstance(mailer_at(None, None, None, Secrets()), NoMailer)
    with pytest.raises(MailFailed, match="AJO_SMTP_HOST is not set"):
        NoMailer().send(MAIL)


# --- as outside of this machine: STARTTLS, then the password ------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of this machine's address, signed by itself; with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("smtp") / "both.pem"
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, pkcs8, plain) + made.public_bytes(pem))
    return file


@pytest.fixture
def sealed_port(sink: MailSink, certificate: Path) -> Iterator[int]:
    """A server that takes mail from who has said the password, once nobody can listen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def authenticated(
        server: object, session: object, envelope: object, mechanism: str, data: object
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ajo", b"hush")
        return AuthResult(success=right)

    controller = Controller(
        sink,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticated,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def test_the_password_is_said_once_nobody_listens(
    sink: MailSink, sealed_port: int, certificate: Path
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    SmtpMailer("127.0.0.1", sealed_port, "ajo@example.com", "ajo", Secrets(), trust).send(MAIL)
    assert len(sink.mails(MAIL.to)) == 1
    with pytest.raises(MailFailed, match=r"SMTP(AuthenticationError|ServerDisconnected)") as failed:
        SmtpMailer("127.0.0.1", sealed_port, "ajo@example.com", "ajo", Secrets("wrong"), trust).send(MAIL)
    assert not failed.value.refused


def test_a_server_that_nobody_vouches_for_is_told_nothing(sink: MailSink, sealed_port: int) -> None:
    with pytest.raises(MailFailed, match="SSLCertVerificationError") as failed:
        SmtpMailer("127.0.0.1", sealed_port, "ajo@example.com", "ajo", Secrets()).send(MAIL)
    assert not failed.value.refused
    assert sink.mails() == []
