"""A reaction that catches up, asked of its service: what `linli backfill` and `linli reactions start` share."""

from typing import Any

from deploy.cli import asking, screen
from deploy.local import Stack
from services.chassis.operations.protocol import BackfillRequest


def ask(stack: Stack, service: str, name: str, *, yes: bool) -> dict[str, Any]:
    """Let it catch up, or only see how far it has to go."""
    with screen.progress() as report:
        return asking.ask(stack, service, BackfillRequest(reaction=name, write=yes), report)


def show(name: str, result: dict[str, Any], *, yes: bool, as_json: bool) -> None:
    """What the service answered."""
    if as_json:
        screen.print_json(result)
    elif yes:
        screen.STDOUT.print(f"{name} has read {result['read']} records, and is on")
    else:
        counts = f"{result['records']} records to read; {result['workers']} workers pause at the end, 2 s at most"
        screen.STDOUT.print(f"{counts}. Say --yes to do it.")
