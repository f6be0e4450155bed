"""What the command line calls. Everything else in this package is behind it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from services.embedded import home as homes
from services.embedded import keys
from services.embedded import status as live
from services.embedded.failure import StackError
from services.embedded.home import Home
from services.embedded.progress import Member, PartStatus, Progress, StackStatus
from services.embedded.record import read
from services.embedded.runner import Run, sweep

__all__ = [
    "Member",
    "PartStatus",
    "Progress",
    "StackError",
    "StackStatus",
    "default_home",
    "dev_token",
    "down",
    "status",
    "up",
]

_STOP_PATIENCE_S = 90.0
_TOKEN_TTL_S = 12 * 3600

default_home = homes.default


def up(home: Path, *, detach: bool, on_progress: Callable[[Progress], None], separate: bool = False) -> StackStatus:
    """Start the stack of `home`; `separate` runs each service as a process of its own.

    Detached, it returns when the stack is ready. Otherwise it blocks until Ctrl-C, SIGTERM or a closed terminal, and
    returns when everything has stopped. Raises StackError, with nothing left running, when it cannot start.
    """
    place = homes.at(home)
    if detach:
        place.create()
        return _detached(place, on_progress, separate=separate)
    return Run(place, on_progress, lambda _: None, separate=separate).run()


def down(home: Path) -> bool:
    """Stop the stack of `home`, and whatever a killed supervisor left. True when something was running.

    Raises StackError when it does not stop, or may not be stopped by us.
    """
    place = homes.at(home)
    record = read(place)
    if record is None:
        return False
    supervisor = record.supervisor
    if supervisor is None or not supervisor.alive():
        with place.locked():
            return sweep(place) > 0
    try:
        os.kill(supervisor.pid, signal.SIGTERM)
    except PermissionError:
        raise StackError(f"The stack in {place.root} was started by another user; only they may stop it.") from None
    until = time.monotonic() + _STOP_PATIENCE_S
    while supervisor.alive():
        if time.monotonic() > until:
            raise StackError(
                f"The supervisor (process {supervisor.pid}) does not stop. See {place.logs}/supervisor.log."
            )
        time.sleep(0.05)
    return True


def status(home: Path) -> StackStatus:
    """Return the stack of `home` as it is now."""
    return live.status(homes.at(home))


def dev_token(
    home: Path,
    *,
    tenant: str = "default",
    subject: str = "dev",
    roles: tuple[str, ...] = ("admin",),
    ttl_s: int = _TOKEN_TTL_S,
) -> str:
    """Return a token that the stack of `home` accepts. Raises StackError before its first start."""
    return keys.mint(homes.at(home).keys, tenant=tenant, subject=subject, roles=roles, ttl_s=ttl_s)


def _detached(home: Home, on_progress: Callable[[Progress], None], *, separate: bool) -> StackStatus:
    ours, theirs = os.pipe()
    options = ["separate"] if separate else []
    with (home.logs / "supervisor.log").open("ab") as log, os.fdopen(theirs, "w") as pipe:
        subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, "-m", "services.embedded.daemon", str(home.root), str(theirs), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(pipe.fileno(),),
            cwd="/",
            check=False,
        )
    with os.fdopen(ours, encoding="utf-8") as lines:
        failure = _follow(lines, on_progress)
    if failure is None:
        return live.status(home)
    raise StackError(failure or f"The supervisor ended before the stack was up. See {home.logs}/supervisor.log.")


def _follow(lines: TextIO, on_progress: Callable[[Progress], None]) -> str | None:
    """Pass the supervisor's steps on. Returns None when the stack is ready, or why it is not ("" for no word).

    Should we be called off meanwhile (Ctrl-C), so is the supervisor; it hangs up when everything has stopped.
    """
    supervisor = 0
    try:
        for line in lines:
            message = json.loads(line)
            if "pid" in message:
                supervisor = int(message["pid"])
            elif "progress" in message:
                on_progress(Progress(**message["progress"]))
            else:
                return None if "ready" in message else str(message["failure"])
    except BaseException:
        if supervisor:
            os.kill(supervisor, signal.SIGTERM)
            lines.read()
        raise
    return ""
