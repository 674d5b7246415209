"""What the fraud rules catch, and whom they trouble for nothing, in a simulated town (fraud_world.py)."""

from __future__ import annotations

import pytest

from tests.unit.assessments.fraud_world import TYPOLOGIES, Figures, a_town, measure


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measure(a_town(seed=7, honest=900, each=40))


def test_nine_in_ten_are_caught_and_most_of_every_kind(figures: Figures) -> None:
    assert set(figures.recall) == set(TYPOLOGIES)
    assert figures.recall_all >= 0.87
    assert min(figures.recall.values()) >= 0.60, figures.recall


def test_few_honest_people_are_troubled(figures: Figures) -> None:
    """A hardship default after a pot is honest here and held all the same: that is what the rule says."""
    assert figures.honest >= 900
    assert figures.honest_joining_held <= 0.02
    assert figures.honest_payout_held <= 0.02
    assert figures.honest_looked_at <= 0.06


def test_the_town_is_the_same_for_the_same_seed() -> None:
    small = [a_town(seed=3, honest=60, each=2) for _ in range(2)]
    assert small[0].facts == small[1].facts
    assert small[0].facts != a_town(seed=4, honest=60, each=2).facts
