"""Hands e-mails to a mail server by SMTP (RFC 6409, submission), with the standard library."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import make_msgid

from shared.ports import Mail, Mailer, MailFailed, Secrets, SecretUnavailable

CALL_SECONDS_MAX = 10.0
"""A person waits for the answer: a server that takes longer is tried again by them."""

PASSWORD = "smtp-password"  # noqa: S105 - the name of a secret


def mailer_at(host: str | None, sender: str | None, user: str | None, secrets: Secrets) -> Mailer:
    """The mailer of the settings; without a server, one that says so."""
    if host is None or sender is None:
        return NoMailer()
    name, _, port = host.partition(":")
    return SmtpMailer(name, int(port), sender, user, secrets)


class NoMailer(Mailer):
    """Where no mail server is set: whoever wants to send is told so."""

    def send(self, mail: Mail) -> None:
        raise MailFailed("AJO_SMTP_HOST is not set")


class SmtpMailer(Mailer):
    """One connection for each mail. With a `user`: by STARTTLS, checked against the system's certificates or
    `trust`, before the password is said; without one nothing is encrypted, which the settings let pass on
    this machine alone."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        user: str | None,
        secrets: Secrets,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._sender = host, port, sender
        self._user, self._secrets, self._trust = user, secrets, trust

    def send(self, mail: Mail) -> None:
        try:
            with smtplib.SMTP(self._host, self._port, timeout=CALL_SECONDS_MAX) as server:
                if self._user is not None:
                    server.starttls(context=self._trust or ssl.create_default_context())
                    server.login(self._user, self._secrets.current(PASSWORD).decode())
                server.send_message(self._message(mail))
        # What a server says may repeat the address: only the kind of the trouble goes on from here.
        except smtplib.SMTPRecipientsRefused as error:
            refused = all(500 <= code < 600 for code, _ in error.recipients.values())
            raise MailFailed("the address was refused", refused=refused) from None
        except smtplib.SMTPNotSupportedError:
            raise MailFailed("the address cannot be written to", refused=True) from None
        # Before ValueError, which a certificate that nobody vouches for is too; smtplib's own are OSErrors.
        except (OSError, SecretUnavailable) as error:
            raise MailFailed(type(error).__name__) from None
        except ValueError:  # no address at all
            raise MailFailed("the address cannot be written to", refused=True) from None

    def _message(self, mail: Mail) -> EmailMessage:
        """Raises ValueError where a line break would make a header of an address or a subject."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = mail.to
        message["Subject"] = mail.subject
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message
