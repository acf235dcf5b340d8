"""``make faults``: everything that goes wrong in guarantees, under load, and whether the ledger stays clean."""

import argparse
import asyncio
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from deploy.local import Stack
from services.chassis.telemetry import logs
from tests.faults import (
    calls,
    city,
    places,
    points,
    processes,
    records,
    revocations,
    streams,
    surroundings,
    three,
    workers,
)
from tests.faults.checked import checked
from tests.faults.load import Load
from tests.faults.providers import Providers
from tests.faults.trial import HEAD, Fault, Row, Trial, suffered
from tests.replay.ledger import Ledger

RATE = 25.0
FAULTS = (
    *processes.FAULTS,
    *points.FAULTS,
    *workers.FAULTS,
    *streams.FAULTS,
    *records.FAULTS,
    *revocations.FAULTS,
    *calls.FAULTS,
    *surroundings.FAULTS,
)
CHECKER = "checker"


@dataclass(frozen=True)
class Run:
    """What is asked for, and where it happens."""

    asked: argparse.Namespace
    folder: Path
    own_places: str
    """Why there is no network of our own; empty where there is."""

    def chosen(self, faults: Sequence[Fault]) -> list[Fault]:
        """Those of these that are asked for."""
        return [fault for fault in faults if self.wants(fault.name)]

    def wants(self, name: str) -> bool:
        """Whether it is asked for."""
        return not self.asked.only or name in self.asked.only

    def one(self) -> list[Row]:
        """A city with one node of each store, and the checker itself."""
        faults = [*self.chosen(FAULTS), *self.chosen([processes.MIXED] * self.asked.rounds)]
        if not faults and not self.wants(CHECKER):
            return []
        with self._stack("one", {}) as (stack, providers):
            rows = asyncio.run(self._suffer(stack, providers, faults, _nothing)) if faults else []
            return rows + (asyncio.run(self._check(stack)) if self.wants(CHECKER) else [])

    def three(self) -> list[Row]:
        """A city with three nodes of each store, and with the variant that does not wait for the others."""
        faults, weak = self.chosen(three.FAULTS), self.wants(three.WEAK.name)
        if not faults and not weak:
            return []
        with self._stack("three", three.SETTINGS) as (stack, providers):
            return asyncio.run(self._suffer(stack, providers, faults, self._weak if weak else _nothing))

    @contextmanager
    def _stack(self, name: str, settings: dict[str, str]) -> Iterator[tuple[Stack, Providers]]:
        folder = self.folder / name
        folder.mkdir()
        providers = Providers(folder)
        stack, data = city.stack(folder, {**providers.settings(), **settings})
        small = not self.own_places and stack.layout.topology.nodes == 1
        disk = surroundings.small_disk(stack.home.root) if small else nullcontext()
        with disk, city.running(stack, data):
            yield stack, providers

    async def _suffer(
        self,
        stack: Stack,
        providers: Providers,
        faults: Sequence[Fault],
        last: Callable[[Trial], Awaitable[list[Row]]],
    ) -> list[Row]:
        """One fault after the other; ``last`` comes behind them."""
        rows, log, chance = [], self.folder / f"{stack.layout.topology.name}.jsonl", random.Random(self.asked.seed)
        async with providers.open():
            people = await city.people(stack)
            with Ledger(log) as ledger:
                load = Load(people, ledger, stack.gateway, RATE, chance)
                trial = Trial(stack, load, log, chance, providers, self.asked.quick, self.own_places)
                say(f"{stack.layout.topology.name} of each store\n{HEAD}")
                for fault in faults:
                    rows.append(await suffered(trial, fault))
                    say(rows[-1].reported())
                return rows + await last(trial)

    async def _weak(self, trial: Trial) -> list[Row]:
        row = await three.weak(trial, self.folder)
        say(row.reported())
        return [row]

    async def _check(self, stack: Stack) -> list[Row]:
        wrong = await checked(stack, self.folder, say)
        return [Row(CHECKER, "", trouble=f"not caught as they have to be: {', '.join(wrong)}" if wrong else "")]


async def _nothing(_: Trial) -> list[Row]:
    return []


def main() -> int:
    """Run what is asked for; 0 where no promise was broken."""
    asked = _asked()
    own_places = "asked to run --here" if asked.here else places.enter()
    logs.start("faults", "driver", "critical")
    say(f"seed {asked.seed}")
    began = time.monotonic()
    run = Run(asked, Path(tempfile.mkdtemp(prefix="linli-faults-")), own_places)
    rows = [*run.one(), *run.three()]
    bad = [row for row in rows if row.bad]
    skipped = sum(row.skipped for row in rows)
    say(f"{len(rows)} faults, {skipped} skipped, {len(bad)} bad, {time.monotonic() - began:.0f} s, seed {asked.seed}")
    if not bad:
        shutil.rmtree(run.folder)
        return 0
    say(f"logs and data: {run.folder}")
    say(f"again: python -m tests.faults --seed {asked.seed} --only {' '.join(row.fault for row in bad)}")
    return 1


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    names = [fault.name for fault in (*FAULTS, processes.MIXED, *three.FAULTS, three.WEAK)]
    names.append(CHECKER)
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="what is left to chance")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=2, help="how many mixed faults (2)")
    parser.add_argument("--quick", action="store_true", help="the shortest of everything")
    parser.add_argument("--here", action="store_true", help="in the machine's own network: no cuts, no full disk")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
