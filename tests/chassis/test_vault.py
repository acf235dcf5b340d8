"""Personal data: sealed for one person and one kind of field, and gone with that person's key."""

import asyncio
import base64
import secrets

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.domain.values import Sealed, now
from services.chassis.guards import visible
from services.chassis.storage.master_key import MasterKey
from services.chassis.storage.sealing import Tampered
from services.chassis.storage.vault import Erased, KeyNotHere, Vault
from services.chassis.usecase import Container
from tests.support import toy
from tests.support.world import World

ANN, BEN = "person_ann", "person_ben"


@pytest.fixture
async def vault(shop: Container) -> Vault:
    await shop.vault.mint(ANN, now())
    await shop.vault.mint(BEN, now())
    return shop.vault


def box_of(sealed: Sealed) -> bytes:
    body = sealed.partition(".")[2]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))


def boxed(raw: bytes) -> Sealed:
    return Sealed("1." + base64.urlsafe_b64encode(raw).decode().rstrip("="))


async def test_what_was_sealed_opens_again(vault: Vault) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=300))
    def check(text: str) -> None:
        sealed = vault.seal(text, ANN, "name")
        assert vault.open(sealed, ANN, "name") == text
        assert vault.seal(text, ANN, "name") != sealed
        assert len(text) < 4 or text not in sealed

    check()


async def test_what_was_moved_to_another_person_field_or_city_does_not_open(vault: Vault, world: World) -> None:
    sealed = vault.seal("13800000000", ANN, "phone")
    with pytest.raises(Tampered):
        vault.open(sealed, BEN, "phone")
    with pytest.raises(Tampered):
        vault.open(sealed, ANN, "name")


async def test_any_flipped_bit_is_detected(vault: Vault) -> None:
    sealed = vault.seal("海拉尔区", ANN, "address")
    box = box_of(sealed)
    for bit in range(len(box) * 8):
        changed = bytearray(box)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            vault.open(boxed(bytes(changed)), ANN, "address")


async def test_any_changed_character_is_detected(vault: Vault) -> None:
    for length in range(3):  # each leaves other bits of the last character unused
        sealed = vault.seal("x" * length, ANN, "name")
        for place in range(len(sealed)):
            for other in ("A", "B", "-", "=", " ", "é"):
                if sealed[place] != other:
                    with pytest.raises(Tampered):
                        vault.open(Sealed(sealed[:place] + other + sealed[place + 1 :]), ANN, "name")


@pytest.mark.parametrize("text", ["", "1", "1.", "1.AAAA", "2.AAAA", "nonsense", "1.é"])
async def test_what_was_never_sealed_does_not_open(vault: Vault, text: str) -> None:
    with pytest.raises(Tampered):
        vault.open(Sealed(text), ANN, "name")


async def test_the_erased_are_shown_as_erased_and_nothing_is_sealed_for_them(vault: Vault) -> None:
    sealed = vault.seal("Ann", ANN, "name")
    await vault.keep({ANN: None})
    await vault.ensure_keys([ANN, BEN])
    assert vault.open(sealed, ANN, "name") is None
    with pytest.raises(Erased):
        vault.seal("Ann", ANN, "name")


async def test_minting_again_keeps_the_key_and_cannot_undo_an_erasure(vault: Vault, shop: Container) -> None:
    sealed = vault.seal("Ann", ANN, "name")
    await asyncio.gather(*(vault.mint(ANN, now()) for _ in range(5)))
    another = Vault(shop.mongo, vault.master)
    await another.ensure_keys([ANN])
    assert another.open(sealed, ANN, "name") == "Ann"
    await vault.keep({ANN: None})
    await vault.mint(ANN, now())
    assert vault.open(sealed, ANN, "name") is None


async def test_a_late_writer_does_not_bring_an_erased_key_back(vault: Vault, shop: Container) -> None:
    sealed = vault.seal("Ann", ANN, "name")
    kept = await shop.mongo.find_one("keys", {"_id": ANN})
    assert kept is not None
    await vault.keep({ANN: None})
    await vault.keep({ANN: bytes(kept["wrapped"]), BEN: None})
    for one in (vault, Vault(shop.mongo, vault.master)):
        await one.ensure_keys([ANN, BEN])
        assert one.open(sealed, ANN, "name") is None


async def test_a_key_that_is_late_is_waited_for(world: World, vault: Vault, shop: Container) -> None:
    hall = await world.container(toy.hall)
    sealed = vault.seal("Ann", ANN, "name")
    kept = await shop.mongo.find_one("keys", {"_id": ANN})
    assert kept is not None
    holding = asyncio.create_task(hall.vault.ensure_keys([ANN]))
    await asyncio.sleep(0.1)
    assert not holding.done()
    await hall.vault.keep({ANN: bytes(kept["wrapped"])})
    await holding
    assert hall.vault.open(sealed, ANN, "name") == "Ann"
    await hall.mongo.close()


async def test_a_key_that_does_not_come_is_reported_as_not_here_yet(world: World) -> None:
    hall = await world.container(toy.hall)
    start = asyncio.get_running_loop().time()
    with pytest.raises(KeyNotHere) as refused:
        await hall.vault.ensure_keys(["person_unknown"])
    assert 0.9 < asyncio.get_running_loop().time() - start < 3
    assert refused.value.retry_after == 1
    await hall.mongo.close()


async def test_where_several_wait_for_keys_the_next_are_refused_at_once_and_those_with_a_key_are_served(
    vault: Vault, world: World, shop: Container
) -> None:
    fresh = Vault(shop.mongo, shop.vault.master)
    waiting = [asyncio.create_task(fresh.ensure_keys([f"person_late{n}"])) for n in range(12)]
    async with asyncio.timeout(0.7):  # those who wait do so for a second
        await asyncio.gather(*waiting[4:], return_exceptions=True)
        await fresh.ensure_keys([ANN])
    assert [type(task.exception()) for task in waiting[4:]] == [KeyNotHere] * 8
    assert not any(task.done() for task in waiting[:4])
    outcomes = await asyncio.gather(*waiting[:4], return_exceptions=True)
    assert [type(one) for one in outcomes] == [KeyNotHere] * 4


async def test_keys_that_are_held_stay_at_hand_while_the_same_come_again(vault: Vault, shop: Container) -> None:
    await vault.ensure_keys([ANN])
    kept = await shop.mongo.find_one("keys", {"_id": ANN})
    assert kept is not None
    await vault.keep({ANN: bytes(kept["wrapped"])})  # as the keeper of keys may do between two steps of a use case
    assert vault.open(vault.seal("Ann", ANN, "name"), ANN, "name") == "Ann"


def test_a_wrapped_key_is_bound_to_its_person_and_city() -> None:
    raw = secrets.token_bytes(32)
    master = MasterKey(raw, "hulunbuir")
    wrapped = master.wrap(secrets.token_bytes(32), ANN)
    master.unwrap(wrapped, ANN)
    for other, subject in ((master, BEN), (MasterKey(raw, "elsewhere"), ANN), (MasterKey(b"k" * 32, "hulunbuir"), ANN)):
        with pytest.raises(InvalidTag):
            other.unwrap(wrapped, subject)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_blind_index_is_equal_for_equal_values_only(one: str, other: str) -> None:
    master = MasterKey(b"k" * 32, "hulunbuir")
    assert master.blind("phone", one) == master.blind("phone", one)
    assert (master.blind("phone", one) == master.blind("phone", other)) == (one == other)
    assert master.blind("phone", one) != master.blind("name", one)
    assert master.blind("phone", one) != MasterKey(b"j" * 32, "hulunbuir").blind("phone", one)


def test_a_master_key_file_of_another_length_is_refused(world: World) -> None:
    file = world.folder / "short.key"
    file.write_text("00" * 16)
    with pytest.raises(ValueError, match="64 hexadecimal"):
        MasterKey.read(file, "hulunbuir")


async def test_no_personal_data_is_readable_in_the_database(vault: Vault, shop: Container) -> None:
    canary = "canary-13812345678"
    async with shop.context(toy.KEEPER, "c", within=visible).store.create(toy.Jar) as jar:
        owner = vault.seal(canary, ANN, "owner")
        jar.record(toy.JarOpened(label="a", keeper="keeper", owner=owner))
    assert canary not in str(await shop.mongo.find_one("jars", {"_id": jar.id}))
    assert canary not in repr(jar)
    assert "Sealed(…)" in repr(jar)
