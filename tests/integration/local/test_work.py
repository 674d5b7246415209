"""Counting what is under way."""

from __future__ import annotations

import threading

from infra.local.work import Work


def test_what_is_done_in_a_block_counts_until_its_end() -> None:
    work = Work()
    with work.doing("requests"), work.doing("requests"):
        assert work.under_way() == {"requests": 2}
    assert work.under_way() == {}


def test_what_is_expected_counts_until_it_is_done_whichever_is_told_first() -> None:
    work = Work()
    work.expect("pushes", "a")
    work.done("pushes", "b")
    assert work.under_way() == {"pushes": 1}

    work.expect("pushes", "b")
    work.done("pushes", "a")
    work.done("pushes", "a")

    assert work.under_way() == {}


def test_one_can_wait_for_the_next_change() -> None:
    work = Work()
    version = work.version
    threading.Timer(0.05, work.expect, ["pushes", "a"]).start()

    work.wait_for_change(version, 20)

    assert work.version == version + 1
