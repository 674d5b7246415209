"""Start a program on a port, wait until it answers, end it for certain."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
START_SECONDS_MAX = 180  # an emulator is up in 1 to 3 s on an idle machine, and in 60 under a load of 17
LOG_TAIL_CHARACTERS = 1500
PORTS = range(20_000, 32_000)  # below the outgoing ones of Linux (32768) and macOS (49152)


class LocalPlatformError(Exception):
    """The local platform cannot do it. The message is one sentence that says what to do."""


def free_port() -> int:
    """A port that nothing listens on now, and that the system will hand to nobody else meanwhile.

    The one that binding port 0 gives is of the range of outgoing connections: on a busy machine another
    program had it before the emulator did.
    """
    while True:
        port = secrets.choice(PORTS)  # not `random`, which tests seed
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)


def require_free(port: int, what: str) -> None:
    """Raise a sentence if something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise LocalPlatformError(
                f"Port {port}, meant for {what}, is in use: end the program that holds it, or choose another."
            ) from None


def answers_http(url: str) -> bool:
    """Whether a server answers there, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return True
    except (OSError, http.client.HTTPException):
        return False


def answers_tcp(port: int) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def running(
    what: str,
    command: Sequence[str],
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` while the block runs, which starts when `ready()` holds.

    Standard output and error go to `log`, or to a file that is gone afterwards. Raises LocalPlatformError
    with the end of that output when the program ends or does not answer within START_SECONDS_MAX.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("w+b") if log else tempfile.TemporaryFile())  # noqa: SIM115
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # Ctrl-C reaches us alone: we end the parts in order
        )
        stack.callback(_end, process)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                output.seek(0)
                tail = output.read().decode(errors="replace")[-LOG_TAIL_CHARACTERS:].strip()
                raise LocalPlatformError(f"{what} did not start; the end of what it said:\n{tail}")
            time.sleep(0.05)
        yield process


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close the keeper's pipe, which ends the program, and wait until both are gone."""
    assert process.stdin is not None  # noqa: S101 - made with a pipe above
    process.stdin.close()
    process.wait()
