"""Entry point of `factoryai`: which commands there are, and what becomes of a failure."""

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any

import typer
from rich.text import Text
from typer.main import get_command

from services.cli.commands import asking, catalog, chat, decisions, importing, stack
from services.cli.exit_codes import ExitCode
from services.cli.failure import ApiError, CliError
from services.cli.helping import Command, Group, usage_error
from services.cli.session import Session, console, with_session
from services.cli.words import Words, choose_language
from services.errors import FactoryError


def version(session: Session) -> ExitCode:
    """Print the release."""
    release = metadata.version("factoryai")
    if session.shared.as_json:
        session.print_json(json.dumps({"version": release, "python": platform.python_version()}))
    else:
        session.out.print(f"factoryai {release}")
    return ExitCode.OK


_COMMANDS: Mapping[str, Callable[..., ExitCode]] = {
    "up": stack.up,
    "down": stack.down,
    "status": stack.status,
    "ask": asking.ask,
    "chat": chat.chat,
    "classify": asking.classify,
    "import": importing.import_files,
    "catalog": catalog.catalog,
    "dev-token": stack.dev_token,
    "version": version,
}
_DECISION_COMMANDS: Mapping[str, Callable[..., ExitCode]] = {
    "list": decisions.list_decisions,
    "show": decisions.show_decision,
    "feedback": decisions.feedback,
    "cancel": decisions.cancel,
}


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot show Korean still gets the rest
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    words = Words(choose_language(arguments, os.environ))
    err = console(to_terminal=True, stderr=True)
    try:
        outcome = build().main(args=list(arguments), prog_name="factoryai", standalone_mode=False, obj=words)
    except (CliError, ApiError) as failure:
        _tell(err, failure.lines(words))
        return failure.exit_code
    except FactoryError as failure:  # of the embedded stack: a sentence that says what to do
        _tell(err, [failure.message])
        return ExitCode.CONFLICT
    except typer.TyperException as failure:
        _tell(err, usage_error(failure, words))
        return ExitCode.USAGE
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except SystemExit:
        # typer and rich leave this way when whoever read our output has seen enough, as `head` has.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    return outcome if isinstance(outcome, int) else ExitCode.OK


def build() -> Any:
    """Return the command tree. Help texts are keys of the catalogue."""
    app = typer.Typer(cls=Group, add_completion=False, rich_markup_mode=None)
    app.callback(invoke_without_command=True, help="help.factoryai")(_root)
    for name, command in _COMMANDS.items():
        app.command(name, cls=Command, help=f"help.{name}")(with_session(command))
    app.add_typer(_decisions(), name="decisions")
    return get_command(app)


def _root(ctx: typer.Context) -> ExitCode | None:
    if ctx.invoked_subcommand is not None:
        return None
    ctx.get_help()
    return ExitCode.USAGE


def _decisions() -> typer.Typer:
    group = typer.Typer(cls=Group, rich_markup_mode=None)
    listing = with_session(decisions.list_decisions)
    group.callback(invoke_without_command=True, help="help.decisions")(listing)
    for name, command in _DECISION_COMMANDS.items():
        group.command(name, cls=Command, help=f"help.decisions_{name}")(with_session(command))
    return group


def _tell(err: Any, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        err.print(Text(line, style="" if number else "bold red"), soft_wrap=True)
