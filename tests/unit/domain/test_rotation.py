"""The draw: fixed by its commitment before anybody joins, the same for all who repeat it, and fair."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rotation import DrawSeed, commitment, draw_seed_ref, drawn_order, verify_draw
from tests.unit.domain.things import tried

SEED = bytes(range(32))
uids = st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=2, max_size=10, unique=True)


def test_a_commitment_is_the_hash_of_its_seed() -> None:
    assert commitment(SEED) == sha256(SEED).hexdigest()


def test_the_order_is_by_the_hash_of_seed_and_member() -> None:
    people = ["ada", "ben", "cy", "dee", "eve"]
    assert drawn_order(SEED, people) == sorted(
        people, key=lambda uid: sha256(SEED + uid.encode()).hexdigest()
    )
    assert drawn_order(SEED, people) == ["ben", "cy", "eve", "dee", "ada"]


@tried
@given(st.binary(min_size=32, max_size=32), uids)
def test_who_repeats_the_draw_finds_the_same_order(seed: bytes, people: list[str]) -> None:
    order = drawn_order(seed, people)
    assert sorted(order) == sorted(people)
    assert drawn_order(seed, reversed(people)) == order
    assert verify_draw(commitment(seed), seed, order)


def test_another_seed_another_commitment_and_another_order_are_noticed() -> None:
    order = drawn_order(SEED, ["ada", "ben", "cy"])
    assert not verify_draw(commitment(SEED), bytes(32), drawn_order(bytes(32), order))
    assert not verify_draw(commitment(bytes(32)), SEED, order)
    assert not verify_draw(commitment(SEED), SEED, order[::-1])


def test_each_place_falls_to_each_member_about_as_often() -> None:
    draws = 2_000
    firsts = Counter(
        drawn_order(draw.to_bytes(32), ["ada", "ben", "cy", "dee", "eve"])[0] for draw in range(draws)
    )
    assert all(abs(count - draws / 5) < 90 for count in firsts.values())  # five standard deviations


@pytest.mark.parametrize("group", ["grp_1", "grp_2"])
def test_the_seed_stands_beside_its_group(group: str) -> None:
    seed = DrawSeed(group=group, seed=SEED.hex())
    assert seed.path == draw_seed_ref(group).path == f"groups/{group}/draw/seed"
    assert draw_seed_ref(group).read(seed.data()) == seed
