"""Starts parts in order, keeps them running, stops them in reverse. Knows nothing of what they are.

One thread, no event loop: it looks at its few children ten times a second, which costs next to nothing and leaves
signals, restarts and waiting in one place.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from subprocess import Popen

from services.embedded import process
from services.embedded.failure import StackError
from services.embedded.process import Command
from services.embedded.progress import PartState

_TICK_S = 0.05
_FIRST_BACKOFF_S = 0.2
_MAX_BACKOFF_S = 10.0
_MAX_DEATHS = 6  # within _MEMORY_S; then the part is left dead and the stack is degraded
_MEMORY_S = 60.0
_LAST_WORDS = 3  # lines of a dead part's log
_LOOK_BACK = 100
_WORD_CHARS = 400
_COMPLAINT = re.compile(r"\b(warning|error|critical|fatal|panic)\b", re.IGNORECASE)


def _nothing() -> None:
    """Do nothing: a part without preparation or farewell."""


@dataclass(frozen=True, slots=True)
class Part:
    """One process. `prepare` runs before each start, `retire` before it is told to stop; both may take seconds.

    `ready(pid)` must answer within a second or so; `missing()` says, for people, what it still waits for, or "".
    It has `patience_s` to become ready and `grace_s` to stop.
    """

    name: str
    command: Callable[[], Command]
    ready: Callable[[int], bool]
    prepare: Callable[[], None] = _nothing
    retire: Callable[[], None] = _nothing
    missing: Callable[[], str] = str
    patience_s: float = 60.0
    grace_s: float = 15.0


@dataclass(slots=True)
class Child:
    """A part as it runs. `proof` outlives the process, so that `down` can find it after a crash of the supervisor."""

    part: Part
    state: PartState = "starting"
    detail: str = ""
    running: "Popen[bytes] | None" = None
    proof: process.Proof | None = None
    deaths: list[float] = field(default_factory=list)
    restarts: int = 0
    again_at: float = 0.0


Report = Callable[[Child], None]


class Supervisor:
    """Runs `parts`. `report` is called after every change of a child; `wanted` turns false when all should end."""

    def __init__(self, parts: Sequence[Part], report: Report, wanted: Callable[[], bool]) -> None:
        self.children = [Child(part) for part in parts]
        self._report = report
        self._wanted = wanted

    def start(self) -> None:
        """Start all and wait until all are ready. Raises StackError when one does not become so; nothing is left.

        A part is started when the one before it is running, not when it is ready: they connect as soon as they can.
        """
        try:
            for child in self.children:
                self._say(child, "preparing")
                child.part.prepare()
                self._launch(child)
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def watch(self) -> None:
        """Restart what dies, until nothing is wanted any more. A part that keeps dying is left dead, plainly told."""
        while self._wanted():
            now = time.monotonic()
            for child in self.children:
                self._look_after(child, now)
            time.sleep(_TICK_S)

    def stop(self) -> None:
        """Stop all in reverse order. Every child is gone afterwards, by force where it must be."""
        for child in reversed(self.children):
            if child.running is None or child.state in ("failed", "stopped"):
                continue
            self._say(child, "stopping")
            if child.running.poll() is None:
                child.part.retire()
            gentle = process.stop(child.running, child.part.command().stop_signal, child.part.grace_s)
            self._say(child, "stopped", "" if gentle else f"had to be killed after {child.part.grace_s:.0f} s")

    def _await_ready(self) -> None:
        began = time.monotonic()
        waiting = list(self.children)
        while waiting:
            if not self._wanted():
                raise StackError("Stopped while starting.")
            for child in list(waiting):
                if child.running is None or child.running.poll() is not None:
                    raise StackError(f"{child.part.name} did not start: {_epitaph(child)}")
                if child.part.ready(child.running.pid):
                    self._say(child, "ready")
                    waiting.remove(child)
                elif time.monotonic() - began > child.part.patience_s:
                    why = "; ".join(filter(None, (child.part.missing(), _words(child))))
                    raise StackError(f"{child.part.name} was not ready in {child.part.patience_s:.0f} s: {why}")
            time.sleep(_TICK_S)

    def _look_after(self, child: Child, now: float) -> None:
        if child.running is None or child.state == "failed":
            return
        if child.state == "died":
            if now >= child.again_at:
                self._revive(child)
            return
        if child.running.poll() is not None:
            self._bury(child, now)
        elif child.state == "restarting" and child.part.ready(child.running.pid):
            self._say(child, "ready", f"restarted {child.restarts} times")

    def _bury(self, child: Child, now: float) -> None:
        child.deaths = [death for death in child.deaths if now - death < _MEMORY_S] + [now]
        epitaph = _epitaph(child)
        if len(child.deaths) >= _MAX_DEATHS:
            given_up = f"{epitaph}; died {len(child.deaths)} times within {_MEMORY_S:.0f} s and is left so"
            self._say(child, "failed", given_up)
            return
        child.again_at = now + min(_FIRST_BACKOFF_S * 2 ** (len(child.deaths) - 1), _MAX_BACKOFF_S)
        self._say(child, "died", epitaph)

    def _revive(self, child: Child) -> None:
        child.restarts += 1
        try:
            child.part.prepare()
        except StackError as refused:
            self._say(child, "failed", refused.message)
            return
        self._launch(child, "restarting")

    def _launch(self, child: Child, state: PartState = "starting") -> None:
        child.running = process.spawn(child.part.command())
        child.proof = process.Proof.of(child.running.pid)
        self._say(child, state)

    def _say(self, child: Child, state: PartState, detail: str = "") -> None:
        child.state, child.detail = state, detail
        self._report(child)


def _epitaph(child: Child) -> str:
    code = child.running.returncode if child.running is not None else None
    if code is None:
        return _words(child)
    if code < 0:
        return f"killed by signal {-code}"
    return f"exit code {code}, {_words(child)}"


def _words(child: Child) -> str:
    """Return the last lines of the part's log, complaints rather than others, and where the rest is."""
    log = child.part.command().log
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    lines = [line.strip()[:_WORD_CHARS] for line in lines[-_LOOK_BACK:] if line.strip()]
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    last = " / ".join((complaints or lines)[-_LAST_WORDS:])
    return f"{last or 'it said nothing'} (see {log})"
