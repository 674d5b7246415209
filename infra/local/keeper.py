"""Run one command and end it, with all its children, when whoever asked for it ends: even by SIGKILL.

Used as `python keeper.py COMMAND…` with a pipe as standard input; standard library alone. The pipe closes
when its holder ends, in whatever way, and that ends the command: SIGTERM to its process group, and SIGKILL
to what is still there after GRACE_SECONDS. A pid file could not promise that, nor could an atexit hook.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

GRACE_SECONDS = 10  # Firestore writes its export on SIGTERM; a JVM under load has taken 4 s to end
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_keeper() -> None:
    """On Linux, a killed keeper takes the command with it too."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_group(leader: int) -> None:
    """End every process of the group, politely first, and wait until all are gone."""
    for sign, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        deadline = time.monotonic() + seconds
        try:
            os.killpg(leader, sign)
            while time.monotonic() < deadline:
                with contextlib.suppress(ChildProcessError):  # grandchildren are not ours to reap
                    os.waitpid(-1, os.WNOHANG)
                os.killpg(leader, 0)
                time.sleep(0.02)
        except ProcessLookupError:
            return


def keep(command: list[str]) -> int:
    """Run the command until it ends or standard input closes; its exit code."""
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_keeper,  # noqa: PLW1509 - unsafe beside threads, and this process has none
    )
    try:
        while (code := child.poll()) is None:
            readable, _, _ = select.select([sys.stdin.fileno()], [], [], 0.2)
            if readable and not os.read(sys.stdin.fileno(), 1):
                break
        return code or 0
    finally:
        end_group(child.pid)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(keep(sys.argv[1:]))
