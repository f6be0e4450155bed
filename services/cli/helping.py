"""Help and usage errors in both languages.

typer reads help from signatures, once, in one language. Here those texts are keys of the catalogue, looked up when help
is shown.
"""

from difflib import get_close_matches
from typing import Any

import typer
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from services.cli.session import console
from services.cli.words import Words

_USAGE_KEYS = {
    "MissingParameter": "usage.missing",
    "NoSuchOption": "usage.no_such_option",
    "BadParameter": "usage.bad_value",
    "BadOptionUsage": "usage.bad_option",
}


class UnknownCommand(typer.TyperException):
    """No command of that name."""

    exit_code = 2

    def __init__(self, name: str, similar: list[str]) -> None:
        super().__init__(name)
        self.name = name
        self.similar = similar


class Command(TyperCommand):
    """A command whose help stands in the catalogue."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: D102 - typer's own types are private
        del formatter
        _show_help(self, ctx)


class Group(TyperGroup):
    """A group of commands whose help stands in the catalogue."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: D102
        del formatter
        _show_help(self, ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: D102
        name = args[0]
        if name not in self.commands and not name.startswith("-"):
            raise UnknownCommand(name, get_close_matches(name, self.commands))
        return super().resolve_command(ctx, args)


def usage_error(error: typer.TyperException, words: Words) -> list[str]:
    """Return what is told about a command line that cannot be read."""
    if isinstance(error, UnknownCommand):
        told = words("usage.unknown_command", name=error.name)
        if error.similar:
            told += " " + words("usage.did_you_mean", names=", ".join(error.similar))
        return [told]
    param = getattr(error, "param", None)
    option = getattr(error, "option_name", "") or (_spelling(param) if param is not None else "")
    key = _USAGE_KEYS.get(type(error).__name__, "usage.other")
    told = words(key, option=option, message=error.message)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "factoryai"
    return [told, words("usage.help", command=command)]


def _spelling(param: Any) -> str:
    return param.opts[-1] if isinstance(param, TyperOption) else param.name.upper()


def _show_help(command: Command | Group, ctx: Any) -> None:
    words: Words = ctx.obj
    out = console(to_terminal=True)
    pieces = command.collect_usage_pieces(ctx)
    out.print(Text.assemble(Text(words("help.usage"), style="bold"), f" {ctx.command_path} {' '.join(pieces)}"))
    out.print()
    out.print(Text(words(command.help or "help.factoryai")))
    arguments = [param for param in command.params if isinstance(param, TyperArgument)]
    options = [param for param in command.params if isinstance(param, TyperOption) and not param.hidden]
    _section(out, words("help.arguments"), [(param.name.upper(), _about(param, words)) for param in arguments])
    rows = [(", ".join([*param.opts, *param.secondary_opts]), _about(param, words)) for param in options]
    _section(out, words("help.options"), [*rows, ("--help", words("help.help"))])
    if isinstance(command, Group):
        entries = [(name, words(each.help or "").splitlines()[0]) for name, each in command.commands.items()]
        _section(out, words("help.commands"), entries)
    if ctx.parent is None:
        out.print()
        out.print(words("help.exit_codes"))


def _about(param: TyperArgument | TyperOption, words: Words) -> str:
    told = words(param.help or "")
    if isinstance(param, TyperOption) and param.envvar:
        told += f" [{param.envvar}]"
    return told


def _section(out: Any, title: str, rows: list[tuple[str, str]]) -> None:
    if not rows:
        return
    view = Table.grid(padding=(0, 2))
    view.add_column(no_wrap=True)
    view.add_column()
    for name, about in rows:
        view.add_row(Text(f"  {name}", style="cyan"), Text(about))
    out.print()
    out.print(Text(title, style="bold"))
    out.print(view)
