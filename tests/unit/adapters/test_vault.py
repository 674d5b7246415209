"""The vault: what is sealed opens where it belongs, for whom it belongs, until its key is destroyed."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.memory_store import MemoryStore
from shared.adapters.vault import AesVault
from shared.domain.errors import Erased, TryAgainLater, Unreadable
from shared.domain.keys import Key, key_ref
from shared.ports import Create, Data, SecretUnavailable, Update
from tests.builders import STARTS, SeededChance

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


class Masters:
    """`Secrets` with master keys: the current one first."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = list(keys)

    def current(self, name: str) -> bytes:
        return self.accepted(name)[0]

    def accepted(self, name: str) -> list[bytes]:
        if not self.keys:
            raise SecretUnavailable
        return self.keys


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def masters() -> Masters:
    return Masters(OLD)


@pytest.fixture
def vault(store: MemoryStore, masters: Masters) -> AesVault:
    return AesVault(store, masters, SeededChance())


def stored(store: MemoryStore, owner: str) -> Data:
    (found,) = store.load(key_ref(owner).path)
    assert found.data is not None
    return found.data


def destroy(store: MemoryStore, owner: str) -> None:
    (found,) = store.load(key_ref(owner).path)
    key = Key.model_validate(dict(found.data or {})).destroyed(STARTS)
    store.commit([Update(key.path, key.data(), found.version)])


def test_what_is_sealed_opens_again(vault: AesVault) -> None:
    sealed = vault.sealer("ada").seal("Adaeze Ọlá", "name")
    assert "Ada" not in sealed
    assert vault.sealer("ada").open(sealed, "name") == "Adaeze Ọlá"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300), st.text("abc:_", max_size=9))
def test_any_text_under_any_heading(text: str, about: str) -> None:
    vault = AesVault(MemoryStore(), Masters(OLD), SeededChance())
    sealer = vault.sealer("ada")
    assert sealer.open(sealer.seal(text, about), about) == text


def test_the_same_text_is_never_sealed_alike(vault: AesVault) -> None:
    sealer = vault.sealer("ada")
    assert sealer.seal("Ada", "name") != sealer.seal("Ada", "name")


def test_it_opens_only_where_it_stood(vault: AesVault) -> None:
    sealed = vault.sealer("ada").seal("12 Elm Row", "address")
    with pytest.raises(Unreadable):
        vault.sealer("ada").open(sealed, "name")
    with pytest.raises(Unreadable):
        vault.sealer("ben").open(sealed, "address")


def test_another_persons_key_cannot_be_put_in_place(store: MemoryStore, vault: AesVault) -> None:
    """Whoever can write to the database still cannot read one person as another: the wrapping names both."""
    vault.sealer("ada")
    theirs = stored(store, "ada")
    store.commit([Create("keys/eve", dict(theirs) | {"owner": "eve"})])
    with pytest.raises(Unreadable):
        vault.sealer("eve")


@pytest.mark.parametrize("sealed", ["", "Ada", "v1.1", "v1.1.!!!", "v1.1.AAAA", "v1.9.AAAA", "v2.1.AAAA"])
def test_what_was_never_sealed_does_not_open(vault: AesVault, sealed: str) -> None:
    with pytest.raises(Unreadable):
        vault.sealer("ada").open(sealed, "name")


def test_one_changed_bit_is_noticed(vault: AesVault) -> None:
    sealer = vault.sealer("ada")
    sealed = sealer.seal("Ada", "name")
    for place in range(5, len(sealed)):
        changed = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(Unreadable):
            sealer.open(changed, "name")


def test_the_database_holds_no_key_in_the_clear(store: MemoryStore) -> None:
    made: list[bytes] = []

    class Watched(SeededChance):
        def token(self, bytes_count: int) -> bytes:
            made.append(super().token(bytes_count))
            return made[-1]

    AesVault(store, Masters(OLD), Watched()).sealer("ada")
    (key,) = [raw for raw in made if len(raw) == 32]
    wrapped = stored(store, "ada")["versions"]["1"]
    assert key.hex() not in str(wrapped)
    with pytest.raises(Unreadable):  # without the master key it is nothing
        AesVault(store, Masters(NEW), SeededChance(1)).sealer("ada")


def test_a_destroyed_key_opens_nothing_and_is_not_replaced(store: MemoryStore, vault: AesVault) -> None:
    vault.sealer("ada").seal("Ada", "name")
    destroy(store, "ada")
    for ask in (vault.sealer, vault.rewrap):
        with pytest.raises(Erased):
            ask("ada")
    for ask_by in (vault.renew, vault.retire):
        with pytest.raises(Erased):
            ask_by("ada", STARTS)
    assert stored(store, "ada")["versions"] == {}
    vault.sealer("ben")  # nobody else is touched


def test_the_master_key_rotates_without_a_pause(
    store: MemoryStore, vault: AesVault, masters: Masters
) -> None:
    sealed = vault.sealer("ada").seal("Ada", "name")
    masters.keys = [NEW, OLD]  # the new version is pinned before the old one
    assert vault.sealer("ada").open(sealed, "name") == "Ada"
    assert vault.rewrap("ada")
    assert not vault.rewrap("ada")
    masters.keys = [NEW]  # the old one is destroyed
    assert vault.sealer("ada").open(sealed, "name") == "Ada"


def test_instances_of_two_deployments_serve_side_by_side(store: MemoryStore) -> None:
    """Whoever still runs with the former pins reads what those with the next ones wrap, and back."""
    deployed = [(OLD,), (OLD, NEW), (NEW, OLD), (NEW,)]
    sealed = {"first": AesVault(store, Masters(OLD), SeededChance()).sealer("first").seal("Ada", "name")}
    for number, (before, after) in enumerate(itertools.pairwise(deployed)):
        both = [AesVault(store, Masters(*keys), SeededChance(number)) for keys in (before, after)]
        for writer in both:
            owner = f"person{len(sealed)}"
            sealed[owner] = writer.sealer(owner).seal("Ada", "name")
        for reader, (owner, text) in itertools.product(both, sealed.items()):
            assert reader.sealer(owner).open(text, "name") == "Ada"
        if after[0] == NEW:
            for owner in sealed:
                both[1].rewrap(owner)
    assert len(sealed) == 7


def test_a_data_key_rotates_without_a_pause(vault: AesVault) -> None:
    before = vault.sealer("ada").seal("Ada", "name")
    assert vault.renew("ada", STARTS)
    assert not vault.renew("ada", STARTS)  # one rotation at a time
    sealer = vault.sealer("ada")
    after = sealer.seal(sealer.open(before, "name"), "name")
    assert (sealer.is_current(before), sealer.is_current(after)) == (False, True)
    assert not vault.retire("ada", STARTS - timedelta(seconds=1))
    assert vault.retire("ada", STARTS)
    assert not vault.retire("ada", STARTS)
    assert vault.sealer("ada").open(after, "name") == "Ada"
    with pytest.raises(Unreadable):
        vault.sealer("ada").open(before, "name")


def test_two_who_need_a_first_key_at_once_get_the_same(masters: Masters) -> None:
    class Crowded(MemoryStore):
        """Somebody else makes the key between our look and our commit."""

        rivals = itertools.count()

        def load(self, *paths: str) -> list[object]:  # type: ignore[override]
            found = super().load(*paths)
            if next(self.rivals) == 0:
                AesVault(self, masters, SeededChance(7)).sealer("ada")
            return list(found)

    store = Crowded()
    sealed = AesVault(store, masters, SeededChance(1)).sealer("ada").seal("Ada", "name")
    assert AesVault(store, masters, SeededChance(2)).sealer("ada").open(sealed, "name") == "Ada"


def test_without_its_master_key_it_asks_to_come_again(store: MemoryStore) -> None:
    with pytest.raises(TryAgainLater):
        AesVault(store, Masters(), SeededChance()).sealer("ada")
