"""`linli audit`: checks audit log and histories, and lists who saw whose data."""

import os
from typing import Annotated

import typer

from deploy.cli import auditing, lines, screen
from deploy.cli.asking import ask_each
from deploy.cli.auditing import Asked
from deploy.cli.screen import Json
from deploy.local import Stack
from deploy.local.processes import SERVICES
from services.chassis.operations.protocol import AuditRequest

command = typer.Typer(invoke_without_command=True)

Service = Annotated[str, typer.Option(help="Only this service.")]
Since = Annotated[str, typer.Option(help="From this time on (ISO 8601; without a zone: this machine's).")]


@command.callback()
def check(context: typer.Context, service: Service = "", since: Since = "", as_json: Json = False) -> None:
    """Check that no entry of the audit log and no event of a history was changed or removed, while Linli runs.
    在运行中核对审计日志和历史记录没有被篡改或删除。

    A1: the audit log, entry by entry, each process's chain against its head; L3: versions and hash chains of all
    histories, always as a whole. With [bold]list[/], see who was shown or refused what.

    Examples:  [bold]linli audit[/]  ·  [bold]linli audit --since 2026-11-01 --json[/]  ·
    [bold]linli audit list --subject person_8f3k…[/]

    Exit code 0: everything is as it was written; 1: something is not, and is named; 2: the check could not run.
    """
    if context.invoked_subcommand:
        return
    request = AuditRequest(since=auditing.instant(since) if since else None)
    asked = ask_each(Stack.of(os.environ).running(), auditing.chosen(service, SERVICES), lambda _: request)
    lines.conclude(lines.of(asked), as_json=as_json)


@command.command("list")
def list_entries(
    subject: Annotated[str, typer.Option(help="Whose data was opened: the id of a person.")] = "",
    actor: Annotated[str, typer.Option(help="Who looked or was refused: the id of an account.")] = "",
    service: Service = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many entries.")] = 50,
    after: Annotated[str, typer.Option(help="The `next` of the previous page.")] = "",
    as_json: Json = False,
) -> None:
    """List who was shown whose sealed data, and who was refused what, newest first.
    按时间倒序列出谁查看了谁的加密资料，以及谁被拒绝了什么。

    Only ids are in the log. Changes and sign-ins are in the histories.

    Examples:  [bold]linli audit list --subject person_8f3k…[/]  ·
    [bold]linli audit list --actor account_2m7q… --since 2026-11-01 --json[/]

    Exit code 0: listed (also where there are none); 2: wrong usage, or a database does not answer.
    """
    asked = Asked(subject, actor, auditing.instant(since) if since else None, limit, after or None)
    found = auditing.read(Stack.of(os.environ).signed_in, service, asked)
    if as_json:
        screen.print_json({"entries": found.entries, "next": found.next})
        return
    screen.STDOUT.print(auditing.table(found.entries) if found.entries else "no entries; changes are in the histories")
    if found.next:
        screen.STDOUT.print(f"more: --after {found.next}", soft_wrap=True)
