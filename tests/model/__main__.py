"""`python -m tests.model`: the states of each model counted, and the shortest trace for every guard taken away."""

import sys

from tests.model.bounds import right, wrong
from tests.model.explore import Breach, Explored, explore


def main() -> int:
    """0 where the right protocol breaks nothing and every weakened one is caught."""
    as_meant = [_right(one.name, explore(one.model)) for one in right()]
    as_meant += [_wrong(one.without.value, one.breaks, explore(one.model).breach) for one in wrong()]
    return 0 if all(as_meant) else 1


def _right(name: str, seen: Explored) -> bool:
    figures = f"{seen.states:>9,} states {seen.transitions:>9,} transitions {seen.seconds:5.1f} s"
    _say(f"{name:66} {figures}  {'no breach' if seen.breach is None else ''}")
    if seen.breach is not None:
        _tell(seen.breach)
    return seen.breach is None


def _wrong(name: str, breaks: str, breach: Breach | None) -> bool:
    _say(f"\n{name}")
    if breach is None:
        _say("  NOT CAUGHT")
        return False
    _tell(breach)
    return breach.promise.startswith(breaks)


def _tell(breach: Breach) -> None:
    _say(f"  breaks {breach.promise}")
    for number, line in enumerate(breach.trace, start=1):
        _say(f"  {number:4}  {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
