"""Runs the local Stripe from the command line, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from infra.local.stripe.server import Endpoint, start_local_stripe


def main() -> None:
    """Parse, start, wait, stop."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--platform-webhook", metavar="URL")
    parser.add_argument("--connect-webhook", metavar="URL")
    parser.add_argument("--platform-secret", metavar="WHSEC", default="whsec_platform")
    parser.add_argument("--connect-secret", metavar="WHSEC", default="whsec_connect")
    parser.add_argument("--platform-events", metavar="TYPES", help="comma-separated globs; all unless given")
    parser.add_argument("--connect-events", metavar="TYPES", help="comma-separated globs; all unless given")
    parser.add_argument("--clock-file", type=Path, help="holds the seconds to add to wall time")
    parser.add_argument("--state-file", type=Path, help="keeps the state over restarts")
    parser.add_argument("--seed", type=int, help="makes ids repeat from run to run")
    parser.add_argument(
        "--platform-payouts", choices=("manual", "daily", "weekly", "monthly"), default="manual"
    )
    options = parser.parse_args()
    # Waited for, not handled: a handler that sets an Event can come while its thread holds the Event's lock.
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with start_local_stripe(
        port=options.port,
        platform_webhook=_endpoint(options.platform_webhook, options.platform_secret),
        connect_webhook=_endpoint(options.connect_webhook, options.connect_secret),
        clock_file=options.clock_file,
        seed=options.seed,
        platform_events=_types(options.platform_events),
        connect_events=_types(options.connect_events),
        payouts_interval=options.platform_payouts,
        state_file=options.state_file,
    ) as server:
        print(f"local Stripe at {server.url}", flush=True)
        signal.sigwait(stop)


def _endpoint(url: str | None, secret: str) -> Endpoint | None:
    return Endpoint(url, secret) if url else None


def _types(given: str | None) -> list[str] | None:
    return given.split(",") if given else None


if __name__ == "__main__":
    main()
