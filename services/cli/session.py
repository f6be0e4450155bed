"""What every command is given: the options that all commands share, two consoles, and a way to the deployment."""

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from services.cli.exit_codes import ExitCode
from services.cli.failure import UsageProblem
from services.cli.rest import Rest
from services.cli.words import Words

_PIPE_WIDTH = 160  # nobody's terminal: wide enough that tables keep their columns


@dataclass(frozen=True, slots=True)
class Shared:
    """Options of every command, as typer reads them. `help` is a key of the catalogue."""

    home: Annotated[Path | None, typer.Option(help="option.home", envvar="FACTORYAI_HOME")] = None
    as_json: Annotated[bool, typer.Option("--json", help="option.json")] = False
    url: Annotated[str | None, typer.Option(help="option.url", envvar="FACTORYAI_URL")] = None
    ca_file: Annotated[Path | None, typer.Option(help="option.ca_file", envvar="FACTORYAI_CA_FILE")] = None
    token: Annotated[str | None, typer.Option(help="option.token", envvar="FACTORYAI_TOKEN")] = None
    lang: Annotated[Literal["ko", "en"] | None, typer.Option(help="option.lang", envvar="FACTORYAI_LANG")] = None


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one command. Results go to `out`; progress and failures to `err`, so that pipes stay clean."""

    shared: Shared
    words: Words
    out: Console
    err: Console

    @property
    def home(self) -> Path:
        """Folder of the embedded stack."""
        from services.embedded import api  # noqa: PLC0415 - only commands that need the stack load it

        return self.shared.home or api.default_home()

    @property
    def interactive(self) -> bool:
        """Whether a person watches: only then is there progress."""
        return self.err.is_terminal and self.out.is_terminal and not self.shared.as_json

    def say(self, key: str, **values: object) -> None:
        """Tell a person something on standard error. Silent with --json."""
        if not self.shared.as_json:
            self.err.print(Text(self.words(key, **values)), soft_wrap=True)

    def show(self, parts: Iterable[RenderableType]) -> None:
        """Write a result part by part. Sentences are wrapped for a terminal and stay whole in a pipe."""
        for part in parts:
            self.out.print(part, soft_wrap=isinstance(part, Text) and not self.out.is_terminal)

    def print_json(self, text: str) -> None:
        """Write JSON as it is, unwrapped and uncoloured."""
        self.out.file.write(text.rstrip("\n") + "\n")
        self.out.file.flush()

    @contextmanager
    def progress(self, key: str, **values: object) -> Iterator[Callable[[str], None]]:
        """Show a spinner with a text while the block runs; the yielded function changes the text."""
        if not self.interactive:
            yield lambda _: None
            return
        with self.err.status(Text(self.words(key, **values))) as status:
            yield lambda text: status.update(Text(text))

    @contextmanager
    def connect(self) -> Iterator[Rest]:
        """Open the way to the deployment: the one `--url` names, else the embedded stack of `--home`."""
        shared = self.shared
        if shared.url:
            url, ca_file, token = shared.url, shared.ca_file, shared.token or ""
        else:
            from services.cli import stack  # noqa: PLC0415 - see home

            url, ca_file, token = stack.address(self.home, shared.token)
        with Rest(url, ca_file, token) as rest:
            yield rest


def with_session(command: Callable[..., ExitCode]) -> Callable[..., ExitCode | None]:
    """Return `command` as typer wants it: the options of `Shared` are added behind its own.

    An option given before a subcommand (`decisions --home X show ID`) counts for the subcommand too.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    names = [field.name for field in fields(Shared)]
    shared = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, annotation=field.type, default=field.default)
        for field in fields(Shared)
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    signature = inspect.Signature([context, *own, *shared])

    def run(ctx: typer.Context, **values: object) -> ExitCode | None:
        if ctx.invoked_subcommand is not None:
            return None
        above = ctx.parent.params if ctx.parent is not None else {}
        chosen = {name: values.pop(name) or above.get(name) for name in names}
        return command(_open(Shared(**chosen), ctx.obj), **values)  # type: ignore[arg-type] # typer checked the types

    run.__signature__ = signature  # type: ignore[attr-defined] # typer reads it
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    return run


def _open(shared: Shared, words: Words) -> Session:
    if shared.ca_file is not None and not shared.ca_file.is_file():
        raise UsageProblem("usage.bad_ca_file", path=shared.ca_file)
    return Session(shared=shared, words=words, out=console(sys.stdout.isatty()), err=console(True, stderr=True))


def console(to_terminal: bool, *, stderr: bool = False) -> Console:  # noqa: FBT001
    """Return a console that never interprets text as markup: what servers send is shown as it is."""
    width = None if to_terminal or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)
