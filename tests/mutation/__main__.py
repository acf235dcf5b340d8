"""``make mutants``: small changes of the code, and whether a test notices each; ends with 1 where too many survive."""

import argparse
import pickle
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.mutation import stores, trying
from tests.mutation.covering import BUDGET, Covering
from tests.mutation.equivalent import reason
from tests.mutation.mutants import Mutant, candidates, sampled
from tests.mutation.report import Tried, page
from tests.mutation.trying import Outcome

ROOT = Path(__file__).resolve().parents[2]
RULES = "services/*/**/model.py"
CHASSIS_TESTS = ("tests/chassis", "tests/members", "tests/requests", "tests/notify")
SLACK_SECONDS = 30


def main() -> None:
    """Find mutants, show each to the tests that run its line, and print what became of them."""
    asked = _asked()
    chosen = _chosen(asked)
    with stores.running(ROOT):
        covering = _covering(asked.covering, _files(asked.files), asked.tests)
        trying.load(covering.loaded)
        tried = [*_tried(chosen, covering, asked)]
    sys.stdout.write(page(ROOT, tried))


def _covering(kept: Path | None, files: Sequence[Path], tests: Sequence[str]) -> Covering:
    if kept is not None and kept.exists():
        found: Covering = pickle.loads(kept.read_bytes())
        return found
    _say(f"once without any mutant, to see which test runs which line of {len(files)} files")
    covering = trying.cover(ROOT, files, tests or _tests(files))
    assert covering.seconds, "no test runs as it is: try pytest"
    _say(f"{len(covering.seconds)} tests in {sum(covering.seconds.values()):.0f} s")
    if kept is not None:
        kept.write_bytes(pickle.dumps(covering))
    return covering


def _files(patterns: Sequence[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in ROOT.glob(pattern)})


def _chosen(asked: argparse.Namespace) -> list[Mutant]:
    found = [one for file in _files(asked.files) for one in sampled(candidates(file), asked.sample, asked.seed)]
    return [one.mutant() for one in sampled(found, asked.total, asked.seed)]


def _tests(files: Sequence[Path]) -> list[str]:
    """The folders of tests that may know these files: each service has one; the chassis is known to all."""
    services = {file.relative_to(ROOT / "services").parts[0] for file in files}
    return [name for name in CHASSIS_TESTS if "chassis" in services or Path(name).name in services]


def _tried(chosen: Sequence[Mutant], covering: Covering, asked: argparse.Namespace) -> Iterator[Tried]:
    for number, mutant in enumerate(chosen, 1):
        if asked.only and number not in asked.only:
            continue
        began = time.monotonic()
        tests = covering.of(mutant, asked.budget)
        limit = SLACK_SECONDS + 3 * int(sum(covering.seconds[test] for test in tests))
        outcome = Outcome.EQUIVALENT if reason(mutant) else trying.try_one(ROOT, mutant, tests, limit)
        place = f"{mutant.file.relative_to(ROOT)}:{mutant.line}"
        _say(f"{number}/{len(chosen)} {place} {mutant.operator}: {outcome} ({time.monotonic() - began:.1f} s)")
        yield Tried(mutant, outcome, len(tests))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--files", action="append", metavar="GLOB", help=f"which files (all rules: {RULES})")
    parser.add_argument("--sample", type=int, metavar="N", help="at most so many mutants of each file, by chance")
    parser.add_argument("--total", type=int, metavar="N", help="at most so many in all, by chance")
    parser.add_argument(
        "--covering", type=Path, metavar="FILE", help="keep which test runs which line, and use it again"
    )
    parser.add_argument("--tests", nargs="+", default=[], metavar="PATH", help="by these tests (all that may know it)")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, metavar="S", help=f"by S seconds of tests each ({BUDGET:g})"
    )
    parser.add_argument("--only", nargs="+", type=int, default=[], metavar="N", help="only these, by their numbers")
    parser.add_argument("--seed", type=int, default=0, help="another chance (0)")
    asked = parser.parse_args()
    asked.files = asked.files or [RULES]
    return asked


if __name__ == "__main__":
    main()
