"""The checker checked, as a table: each broken variant, the line that names it, and whether the sound one is clean."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local import Stack
from tests.chassis.ledger_city import City
from tests.conftest import CITY_DATA
from tests.faults.durability import JOURNAL, crashed, own_database
from tests.faults.stage import Caught, Variant, caught
from tests.faults.variants import VARIANTS
from tests.support import operators
from tests.support.world import World

HEAD = f"{'broken variant':52} {'exposed by':38} {'caught by':34} sound one"


async def checked(stack: Stack, folder: Path, say: Callable[[str], None]) -> list[str]:
    """Play all variants on the stores of a stack; the names of those that were not caught as they have to be."""
    say(HEAD)
    wrong = []
    for number, variant in enumerate(VARIANTS):

        async def played(world: World, broken: bool, variant: Variant = variant) -> Caught:  # noqa: FBT001 - which of two
            async with City.open(world) as city:
                return await caught(variant, city, world.folder / "log.jsonl", broken=broken)

        wrong += await _reported(stack, folder / f"variant-{number}", variant, played, say)
    with own_database(folder / "database") as database:

        async def crash(world: World, broken: bool) -> Caught:  # noqa: FBT001 - which of two
            return await crashed(world, database, world.folder / "log.jsonl", broken=broken)

        return wrong + await _reported(stack, folder / "journal", JOURNAL, crash, say)


async def _reported(
    stack: Stack,
    folder: Path,
    variant: Variant,
    played: Callable[[World, bool], Awaitable[Caught]],
    say: Callable[[str], None],
) -> list[str]:
    found = [await played(_world(stack, folder / name), name == "broken") for name in ("broken", "sound")]
    lines = ", ".join(f"{check} {about}".strip() for check, about in sorted(found[0])) or "nothing"
    say(f"{variant.name:52} {variant.crash:38} {lines:34} {'clean' if not found[1] else sorted(found[1])}")
    return [] if found == [variant.reported, frozenset()] else [variant.name]


def _world(stack: Stack, folder: Path) -> World:
    folder.mkdir(parents=True)
    return World(stack.kafka, operators.uris(stack), folder, CITY_DATA)
