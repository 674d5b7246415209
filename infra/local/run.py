"""`scripts/run`: start the whole platform, say where everything is, and wait for Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.local.platform import Login, Platform

PORT = 8080
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_SECONDS = 2.0  # how often it is seen whether every part still answers
EPILOG = """
With STRIPE_SECRET_KEY=sk_test_… in the environment Stripe's own test mode is used, and webhooks come by
`stripe listen`; its secrets go into STRIPE_WEBHOOK_SECRET and STRIPE_CONNECT_WEBHOOK_SECRET.
Without it, a local Stripe is started.
"""


def main() -> int:
    """Its exit code: 0 after Ctrl-C or SIGTERM, 1 where it could not start or a part fell."""
    options = _options()
    # Imported here, so that --help needs nothing that has to be installed first.
    from infra.local.platform import Platform
    from infra.local.process import LocalPlatformError

    for number in ENDINGS:
        signal.signal(number, _interrupt)
    begun = time.monotonic()
    try:
        print("Starting the platform …", flush=True)
        stripe_key = os.environ.get("STRIPE_SECRET_KEY")
        with Platform(options.port, keep_data=options.keep_data, stripe_key=stripe_key) as platform:
            logins = _seed(platform) if platform.is_fresh else []
            print(_table(platform, logins, time.monotonic() - begun), flush=True)
            while not (fallen := platform.fallen()):
                time.sleep(LOOK_SECONDS)
            print(f"No longer there: {', '.join(fallen)}. See {platform.logs}.", file=sys.stderr)
            return 1
    except LocalPlatformError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Everything is stopped.", flush=True)
    return 0


def _interrupt(*_: object) -> None:
    """The first one unwinds what runs; the next ones do not disturb that."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    print("\nStopping …", flush=True)
    raise KeyboardInterrupt


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/run",
        description="The whole platform on this machine, with a test clock, until Ctrl-C.",
        epilog=EPILOG,
    )
    parser.add_argument("--port", type=int, default=PORT, help=f"of the gateway ({PORT})")
    parser.add_argument(
        "--keep-data",
        type=Path,
        metavar="DIR",
        help="keep what is stored there, and begin with it",
    )
    return parser.parse_args()


def _seed(platform: Platform) -> Sequence[Login]:
    """Accounts and a group to look at."""
    from infra.local.seed import seed

    try:
        return seed(platform)
    except Exception as error:  # an empty platform is of use, too
        print(f"No group could be made to look at: {error!r}. See {platform.logs}.", file=sys.stderr)
        return []


def _table(platform: Platform, logins: Sequence[Login], seconds: float) -> str:
    hosts = platform.environment()
    rows = [
        ("API", platform.base_url),
        ("Firebase Auth", f"http://{hosts['FIREBASE_AUTH_EMULATOR_HOST']}"),
        ("Firestore", f"http://{hosts['FIRESTORE_EMULATOR_HOST']}"),
        ("Pub/Sub", f"http://{hosts['PUBSUB_EMULATOR_HOST']}"),
        ("Stripe", hosts.get("AJO_STRIPE_API_BASE", "Stripe's own test mode")),
        ("the platform's clock", f"{platform.base_url}/_local/clock"),
        ("logs", str(platform.logs)),
        *((f"login: {login.role}", f"{login.email}  {login.password}") for login in logins),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    clock = f"curl -H 'Content-Type: application/json' {platform.base_url}/_local/clock"
    return "\n".join(
        [
            f"\nThe platform is up, in {seconds:.0f} s.\n",
            *lines,
            "\nWhat to try next, from another terminal:\n",
            f"  scripts/demo --url {platform.base_url}",
            f"  {clock} -d '{{\"advance_seconds\": 86400}}'",
            "\nCtrl-C ends it all.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
