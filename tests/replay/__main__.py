"""`make replay FILE=…`: play a ledger of real messages through a running city, a load driver for developers."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.cli import screen
from deploy.cli.city import credentials, progress
from deploy.cli.city.client import Gateway
from deploy.cli.city.quiet import until_quiet
from deploy.cli.city.spool import Spool
from deploy.local import Stack, Trouble
from tests.replay.callers import Callers, Town
from tests.replay.filing import CommandSender
from tests.replay.ledger import Ledger
from tests.replay.messages import BadLine, Message, read
from tests.replay.results import Results, tables
from tests.replay.run import Pace, Replay

GIVE_UP_SECONDS = 180


def command(
    file: Annotated[Path, typer.Argument(help="JSON lines, plain or gzipped.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many messages.")] = None,
    ledger: Annotated[Path | None, typer.Option(help="Where to write the log of all commands.")] = None,
    seed: Annotated[int, typer.Option(help="Another number makes other stories, and files everything anew.")] = 1,
    rate: Annotated[float, typer.Option(min=0, help="So many messages begin a second; 0: as fast as it goes.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="So many stories at once.")] = 24,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document at the end, for machines.")] = False,
) -> None:
    """Play real messages through the gateway as cases, from filing to rating, and check the whole system afterwards.
    把真实来信作为诉求经由网关办理，从受理到评价，最后核对整个系统。

    FILE has one JSON object a line: [bold]id[/] (one of a kind), [bold]user[/] (a pseudonym), [bold]title[/],
    [bold]text[/], and where known [bold]filed_at[/], [bold]reply[/], [bold]replied_at[/] (ISO 8601, local time);
    other fields are passed over. A line that is none of this is told at the end, by number and reason.

    Half of the messages are filed by residents who sign in with a phone made of their pseudonym, half by the hotline
    on their behalf. The system suggests the service item. A3区 and the like name a county, the same mark always the
    same one; the resident's pseudonym chooses the community in it, or in the whole city where none is named. The seeded
    staff takes the cases on and answers with the real reply; stable fractions are paused, returned once or twice,
    moved, urged, reopened; residents rate. Of a text or reply over 4,000 characters the rest follows as comments.

    The same file and seed again change nothing: what was done is found done, and what was broken off goes on.

    Examples:  [bold]make replay FILE=messages.jsonl.gz[/]  ·
    [bold]make replay FILE="messages.jsonl --limit 100 --seed 2"[/]

    Exit code 0: every line was a message, was filed, settled and told to its resident once, and `linli verify` is
    clean; 1: something is missing, the last lines say what; 2: the file cannot be read, or Linli does not run.
    """
    stack = Stack.of(os.environ).running()
    messages, bad = read(file, limit)
    log = ledger or stack.home.root / "replay.jsonl"
    results = asyncio.run(_replay(stack, messages, bad, log, (seed, rate, concurrency)))
    show, words = (_show_json, ["--json"]) if as_json else (_show, [])
    verified = _verify(log, words)
    show(results, verified)
    raise typer.Exit(1 if results.missing or verified.returncode else 0)


async def _replay(
    stack: Stack, messages: list[Message], bad: list[BadLine], log: Path, how: tuple[int, float, int]
) -> Results:
    seed, rate, concurrency = how
    results = Results(len(messages), bad)
    known = credentials.read(stack.home)
    async with Gateway(stack.gateway, at_once=max(32, concurrency), give_up_after=GIVE_UP_SECONDS) as gateway:
        with Ledger(log) as ledger, progress.bars() as shown:
            callers = Callers(gateway, known, Spool(stack.home.sms))
            sender = CommandSender(gateway, ledger, str(seed))
            replay = Replay(gateway, await Town.look(gateway), callers, sender, results, seed)
            await replay.play(messages, concurrency, Pace(rate), shown)
            shown.say("waiting until every service has caught up")
            try:
                await until_quiet(stack, GIVE_UP_SECONDS)
            except Trouble as trouble:
                results.late = trouble.sentence
            await replay.count_notified(concurrency, shown)
    return results


def _verify(log: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """`linli verify` as an operator would type it, with the log of this replay."""
    screen.STDERR.print("checking all promises: linli verify")
    command = [sys.executable, "-m", "deploy.cli.main", "verify", "--ledger", str(log), *words]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=False)


def _show_json(results: Results, verified: subprocess.CompletedProcess[str]) -> None:
    screen.print_json({**results.to_json(), "verified": verified.returncode == 0, "verify": verified.stdout})


def _show(results: Results, verified: subprocess.CompletedProcess[str]) -> None:
    for table in tables(results):
        screen.STDOUT.print(table)
    typer.echo(verified.stdout)
    screen.print_red(f"missing: {phrase}" for phrase in results.missing)


def main() -> int:
    """Run what was typed; 2 with one sentence where it cannot be done."""
    try:
        typer.run(command)
    except Trouble as trouble:
        screen.tell(trouble)
        return trouble.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
