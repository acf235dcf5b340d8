"""The command line's table of commands and its entry point."""

import gc
import importlib
import inspect
import sys
from collections.abc import Sequence

import typer

from deploy.cli import screen
from deploy.local.trouble import Trouble

# By panel. The name of a command is also the name of its file here, which holds a function or an app `command`.
COMMANDS = {
    "Running": ("up", "down", "status", "logs", "migrate"),
    "Trust": ("verify", "audit", "doctor"),
    "Repair": ("parked", "consumer", "reactions", "backfill", "rebuild", "republish"),
    "City": ("demo", "seed", "sms", "token"),
}


def application(typed: Sequence[str] = ()) -> typer.Typer:
    """All commands of the table, or only the typed one: the others take long to load."""
    app = typer.Typer(
        name="linli",
        callback=linli,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    panels = {name: panel for panel, names in COMMANDS.items() for name in names}
    for name in panels.keys() & typed[:1] or panels:
        _add(app, name, panels[name])
    for group in (app, *(one.typer_instance for one in app.registered_groups if one.typer_instance)):
        for one in group.registered_commands:
            one.help = _flowing(inspect.getdoc(one.callback) or "")
    return app


# A callback, because Typer makes an app with one command into that command itself: `linli up` would be one word too
# many.
def linli() -> None:
    """Linli runs a city's communities. Start it with `linli up`, see its state with `linli status`.
    邻里为全市社区服务：用 `linli up` 启动，用 `linli status` 查看状态。
    """


def _add(app: typer.Typer, name: str, panel: str) -> None:
    command = importlib.import_module(f"deploy.cli.{name}").command
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name, rich_help_panel=panel)
    else:
        app.command(name, rich_help_panel=panel)(command)


def _flowing(text: str) -> str:
    """Each paragraph on one line, because the terminal wraps it."""
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in text.split("\n\n"))


def run() -> None:
    """The entry point: an expected error becomes one sentence and an exit code."""
    try:
        app = application(sys.argv[1:])
        gc.freeze()  # everything loaded now stays loaded: scanning it takes longer than many commands
        app()
    except Trouble as trouble:
        screen.tell(trouble)
        sys.exit(trouble.code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        screen.tell(Trouble(f"{where}{error.strerror or error}."))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
