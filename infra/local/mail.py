"""Stands in for a mail server: takes every e-mail, keeps the latest, and shows them to tests and the demo."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT_MAX = 1000
REFUSED_DOMAIN = "@refused.invalid"
"""Addresses there are refused for good, as of somebody who is not there."""


@dataclass(frozen=True, slots=True)
class Received:
    """One e-mail as it came."""

    to: str
    sender: str
    subject: str
    text: str


class MailSink:
    """The latest e-mails, newest last."""

    def __init__(self) -> None:
        self._mails: deque[Received] = deque(maxlen=KEPT_MAX)
        self._lock = threading.Lock()

    def mails(self, to: str | None = None) -> list[dict[str, str]]:
        """All of them, or those to one address."""
        with self._lock:
            return [asdict(one) for one in self._mails if to in {None, one.to}]

    # aiosmtpd finds these by name.

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.endswith(REFUSED_DOMAIN):
            return "550 5.1.1 nobody of that name is here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        message: Any = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        text = message.get_content().replace("\r\n", "\n")
        with self._lock:
            self._mails += [
                Received(to, envelope.mail_from or "", message["Subject"], text) for to in envelope.rcpt_tos
            ]
        return "250 OK"


@contextlib.contextmanager
def serving(sink: MailSink, port: int) -> Iterator[None]:
    """Take mails on this port while the block runs."""
    controller = Controller(sink, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
