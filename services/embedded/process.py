"""Child processes: how they are started, proved alive and stopped.

A process is known by its id and its start time together, because ids are used again.
"""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from services.embedded.identity import Identity

_LOG_KEEP_BYTES = 20 * 1024 * 1024
_KILL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `env` is the whole environment; both output streams are appended to `log`."""

    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    stop_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Proof:
    """Names one process for good: id and start time (seconds since the epoch, as the kernel has it)."""

    pid: int
    started: float

    @staticmethod
    def of(pid: int) -> "Proof | None":
        """Return the proof of the process that has `pid` now, or None if there is none or only its remains."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return Proof(pid, process.create_time())
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        now = Proof.of(self.pid)
        return now is not None and abs(now.started - self.started) < 1.0


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own: Ctrl-C reaches the supervisor alone, which stops the parts in order."""
    _rotate(command.log)
    uid = command.identity.uid
    with command.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own commands
            [*command.identity.prefix, *_leash(command.stop_signal), *command.argv],
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else [],
            cwd="/",
        )


@functools.cache
def _leash(stop_signal: signal.Signals) -> tuple[str, ...]:
    """Words that make the kernel stop the child when the supervisor itself is killed. Linux only.

    Elsewhere the next `up` or `down` finds what was left behind by the recorded proofs.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    words = (setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--")
    usable = subprocess.run([*words, "true"], capture_output=True, check=False)  # noqa: S603 - an older one lacks it
    return words if usable.returncode == 0 else ()


def stop(process: "subprocess.Popen[bytes]", stop_signal: signal.Signals, grace_s: float) -> bool:
    """Stop our child and wait. False when it did not go in `grace_s` seconds and had to be killed."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_KILL_WAIT_S)
        return False
    return True


def stop_stranger(proof: Proof, stop_signal: signal.Signals, grace_s: float) -> None:
    """Stop a process that an earlier supervisor left behind; killed when it does not go in `grace_s` seconds."""
    for attempt, patience in ((stop_signal, grace_s), (signal.SIGKILL, _KILL_WAIT_S)):
        if not proof.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(proof.pid, attempt)
        until = time.monotonic() + patience
        while proof.alive() and time.monotonic() < until:
            time.sleep(0.05)


def _rotate(log: Path) -> None:
    """Keep one older log, so that a stack that runs for months does not fill the disk at each start."""
    if log.exists() and log.stat().st_size > _LOG_KEEP_BYTES:
        log.replace(log.with_suffix(".log.1"))
