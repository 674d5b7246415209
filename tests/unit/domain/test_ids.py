"""Ids: derived from what they name, or fresh; and the shards of a rising index."""

from __future__ import annotations

from hashlib import sha256

from shared.domain.ids import (
    SHARDS,
    attempt_id,
    contribution_id,
    debt_id,
    derived_id,
    new_id,
    payout_id,
    sending_id,
    shard_of,
    top_up_id,
)


def test_ids_are_derived_from_what_they_name() -> None:
    made = derived_id("con", "grp", 1, "ada")
    assert made == derived_id("con", "grp", "1", "ada")
    prefix, _, letters = made.partition("_")
    assert (prefix, len(letters), letters) == ("con", 20, letters.lower())
    assert derived_id("con", "a", "bc") != derived_id("con", "ab", "c")


def test_each_kind_of_id_names_its_own_thing() -> None:
    assert contribution_id("grp", 1, "ada") == derived_id("con", "grp", 1, "ada")
    assert attempt_id("con_1", 2) == derived_id("att", "con_1", 2)
    assert payout_id("grp", 1, 2) == derived_id("pay", "grp", 1, 2)
    assert top_up_id("dbt_1", 2) == derived_id("pay", "dbt_1", 2)
    assert sending_id("pay_1", 2) == derived_id("snd", "pay_1", 2)
    assert debt_id("con_1", "cause") == derived_id("dbt", "con_1", "cause")


def test_a_fresh_id_is_its_randomness() -> None:
    assert new_id("grp", bytes(13)) == "grp_" + "a" * 20
    assert new_id("grp", b"\xff" * 13) == "grp_" + "7" * 20
    assert new_id("g", b"\x01") == "g_ae"


def test_shards_are_spread_evenly() -> None:
    found = [shard_of(f"con_{number}") for number in range(1_600)]
    assert set(found) == set(range(SHARDS))
    assert all(60 < found.count(shard) < 150 for shard in range(SHARDS))
    assert shard_of("con_1") == sha256(b"con_1").digest()[0] % 16
