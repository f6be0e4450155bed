"""up, down, status, dev-token: the embedded stack on this machine.

The stack is imported inside the commands: it brings drivers and gRPC, which `ask --url` and `--help` do without.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from services.cli.exit_codes import ExitCode
from services.cli.failure import UsageProblem
from services.cli.session import Session
from services.embedded.progress import Progress, StackStatus

_STYLES = {
    "ready": "green",
    "external": "green",
    "starting": "yellow",
    "preparing": "yellow",
    "restarting": "yellow",
    "degraded": "yellow",
    "stopping": "yellow",
    "died": "bold red",
    "failed": "bold red",
    "unready": "bold red",
}
_SERVING = frozenset({"ready", "degraded"})
_MAX_TTL_S = 30 * 24 * 3600


def up(
    session: Session,
    *,
    detach: Annotated[bool, typer.Option("--detach", help="up.detach")] = False,
    separate: Annotated[bool, typer.Option("--separate", help="up.separate")] = False,
) -> ExitCode:
    """Start the stack; without --detach it runs until Ctrl-C."""
    from services.embedded import api  # noqa: PLC0415

    welcomed = False

    def tell(step: Progress) -> None:
        nonlocal welcomed
        _show_step(session, step)
        # In the foreground `up` returns only when everything has stopped again, so the welcome comes on the way.
        if step.part == "stack" and step.state == "ready" and not welcomed:
            welcomed = True
            _welcome(session, api.status(session.home), detached=detach)

    now = api.up(session.home, detach=detach, separate=separate, on_progress=tell)
    if detach and not welcomed:
        _welcome(session, now, detached=True)
    if not detach and not session.shared.as_json:
        session.say("up.stopped")
    return ExitCode.OK if now.state in _SERVING or not detach else ExitCode.UNAVAILABLE


def down(session: Session) -> ExitCode:
    """Stop the stack. Data stay."""
    from services.embedded import api  # noqa: PLC0415

    stopped = api.down(session.home)
    if session.shared.as_json:
        session.print_json(json.dumps({"stopped": stopped}))
    session.say("down.stopped" if stopped else "down.nothing", home=session.home)
    return ExitCode.OK


def status(session: Session) -> ExitCode:
    """Show each part. Exit code 0 when it serves, 5 when not."""
    from services.embedded import api  # noqa: PLC0415

    now = api.status(session.home)
    if session.shared.as_json:
        session.print_json(json.dumps(now.to_json(), ensure_ascii=False))
    else:
        _show_status(session, now)
    return ExitCode.OK if now.state in _SERVING else ExitCode.UNAVAILABLE


def dev_token(
    session: Session,
    *,
    tenant: Annotated[str, typer.Option(help="dev_token.tenant")] = "default",
    subject: Annotated[str, typer.Option(help="dev_token.subject")] = "dev",
    role: Annotated[list[str] | None, typer.Option(help="dev_token.role")] = None,
    ttl_s: Annotated[int, typer.Option("--ttl", help="dev_token.ttl", min=1, max=_MAX_TTL_S)] = 3600,
) -> ExitCode:
    """Print a token of this stack's own key, and nothing else."""
    from services.embedded import api  # noqa: PLC0415

    if session.shared.url:
        raise UsageProblem("dev_token.only_embedded")
    roles = tuple(role or ("admin",))
    token = api.dev_token(session.home, tenant=tenant, subject=subject, roles=roles, ttl_s=ttl_s)
    session.print_json(json.dumps({"token": token, "expires_in": ttl_s}) if session.shared.as_json else token)
    return ExitCode.OK


def _show_step(session: Session, step: Progress) -> None:
    if session.shared.as_json:
        return
    state = session.words(f"part_state.{step.state}")
    line = Text.assemble(
        Text(f"{step.seconds:6.1f} s  ", style="dim"),
        f"{step.part:<14}",
        Text(state, style=_STYLES.get(step.state, "")),
        f"  {step.detail}" if step.detail else "",
    )
    session.err.print(line, soft_wrap=True)


def _welcome(session: Session, now: StackStatus, *, detached: bool) -> None:
    if session.shared.as_json:
        session.print_json(json.dumps(now.to_json(), ensure_ascii=False))
        return
    words, out = session.words, session.out
    home = "" if session.shared.home is None else f" --home {session.shared.home}"
    out.print()
    out.print(Text.assemble(Text("URL      ", style="bold"), now.url), soft_wrap=True)
    out.print(Text.assemble(Text("CA file  ", style="bold"), now.ca_file), soft_wrap=True)
    out.print()
    out.print(words("up.try"))
    questions = [words(f"up.question_{number}") for number in (1, 2, 3)]
    program = _program()
    for question in questions:
        out.print(f'  {program} ask{home} "{question}"', soft_wrap=True)
    out.print()
    out.print(words("up.or_rest"))
    # The token is made when the line is run, so that the line still works tomorrow and no secret is shown.
    out.print(
        f'  curl --cacert {now.ca_file} -H "authorization: Bearer $({program} dev-token{home})" '
        f"{now.url}/v1/ask -d '{json.dumps({'question': questions[0]}, ensure_ascii=False)}'",
        soft_wrap=True,
    )
    out.print()
    if not detached:
        out.print(words("up.stop_hint"))


def _program() -> str:
    """Return what a person types to start this very program: after `make run` it is not on the PATH."""
    here = Path(sys.executable).parent / "factoryai"
    found = shutil.which("factoryai")
    if not here.exists() or (found is not None and Path(found).resolve() == here.resolve()):
        return "factoryai"
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here)


def _show_status(session: Session, now: StackStatus) -> None:
    words, out = session.words, session.out
    facts = Table.grid(padding=(0, 2))
    facts.add_row(Text(words("status.state"), style="bold"), _state(session, "stack_state", now.state, now.detail))
    for label, value in ((words("status.home"), now.home), ("URL", now.url), ("CA file", now.ca_file)):
        if value:
            facts.add_row(Text(label, style="bold"), Text(value, overflow="fold"))
    out.print(facts)
    if not now.parts:
        return
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in ("part", "state", "pid", "restarts", "detail"):
        view.add_column(words(f"status.{key}"), justify="right" if key in {"pid", "restarts"} else "left")
    for name, part in now.parts.items():
        view.add_row(
            Text(name),
            _state(session, "part_state", part.state),
            Text(str(part.pid) if part.pid else ""),
            Text(str(part.restarts)),
            Text(part.detail),
        )
        for member, found in part.members.items():
            state = _state(session, "part_state", found.state)
            view.add_row(Text(f"  {member}"), state, "", "", Text(f"127.0.0.1:{found.port}"))
    out.print()
    out.print(view)


def _state(session: Session, group: str, state: str, detail: str = "") -> Text:
    # Members say in their own words whether they serve; what has no translation is shown as it is.
    told = session.words.get(f"{group}.{state}") or state
    return Text.assemble(Text(told, style=_STYLES.get(state, "")), f"  {detail}" if detail else "")
