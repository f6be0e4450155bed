"""One run of a stack, from the lock to the last part stopped."""

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

from services.embedded import certificates, keys, ports, process
from services.embedded.engine import Engine
from services.embedded.failure import StackError
from services.embedded.home import Home
from services.embedded.ports import Ports
from services.embedded.progress import PartState, PartStatus, Progress, StackStatus
from services.embedded.record import Record, read, write
from services.embedded.sample import load_sample
from services.embedded.settings import EmbeddedSettings
from services.embedded.stack import Stack, compose
from services.embedded.supervisor import Child, Supervisor

_SAMPLE_TOKEN_S = 300
_ATTEMPTS = 3
_ORPHAN_GRACE_S = 15.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Tell = Callable[[Progress], None]


class Run:
    """A stack that this process runs. `tell` hears every step; `on_ready` is called once, when all is up."""

    def __init__(self, home: Home, tell: Tell, on_ready: Callable[[StackStatus], None], *, separate: bool) -> None:
        self._home = home
        self._tell = tell
        self._on_ready = on_ready
        self._separate = separate
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._record = Record(StackStatus(home=str(home.root), state="starting"))

    def run(self) -> StackStatus:
        """Block until a signal asks to stop. Raises StackError when the stack cannot start; nothing is left then."""
        self._home.create()
        with self._home.locked(), self._signals():
            sweep(self._home)
            try:
                self._serve_somewhere(EmbeddedSettings())
            except BaseException as failure:
                if not (isinstance(failure, StackError) and self._stop.is_set()):
                    self._note(state="failed", detail=str(failure) or type(failure).__name__)
                    raise
                # Called off while it started: that is no failure.
            finally:
                self._home.tidy()
            self._note(state="stopped")
            return self._record.status

    def stop(self) -> None:
        """Ask to stop, as a signal does."""
        self._stop.set()

    def _serve_somewhere(self, settings: EmbeddedSettings) -> None:
        """Serve; a port that somebody else took between our look and our start is no reason to give up."""
        for attempt in range(1, _ATTEMPTS + 1):
            chosen = ports.choose()
            for moved in chosen.moved:
                self._say("ports", "ready", moved)
            stack = compose(self._home, settings, chosen)
            self._introduce(stack, chosen)
            try:
                return self._serve(stack)
            except StackError:
                if self._stop.is_set() or attempt == _ATTEMPTS or ports.all_free(chosen):
                    raise
                self._say("ports", "restarting", "somebody else took a port meanwhile; starting again on others")
        return None

    def _serve(self, stack: Stack) -> None:
        for name, check in stack.external().items():
            detail = check()
            self._part(name, PartStatus("external", detail=detail))
        certificates.ensure(self._home.certificates, dt.datetime.now(dt.UTC))
        keys.ensure(self._home.keys)
        if stack.postgres is not None:
            self._say("postgres", "preparing")
        if done := stack.initialise():
            self._say("postgres", "preparing", done)
        engine = stack.engine()
        parts = stack.parts(engine, separate=self._separate)
        supervisor = Supervisor(parts, self._child, lambda: not self._stop.is_set())
        try:
            supervisor.start()
            self._load_sample(stack, engine)
            self._note(state="ready")
            self._say("stack", "ready", stack.envoy.url)
            self._on_ready(self._record.status)
            supervisor.watch()
        finally:
            self._note(state="stopping")
            supervisor.stop()

    def _load_sample(self, stack: Stack, engine: Engine) -> None:
        if not stack.settings.sample_plant or self._stop.is_set():
            return
        self._say("sample plant", "starting")
        token = keys.mint(
            self._home.keys, tenant="default", subject="embedded", roles=("admin",), ttl_s=_SAMPLE_TOKEN_S
        )
        try:
            self._say("sample plant", "ready", load_sample(engine.ports["data"], token))
        except StackError as refused:
            # The stack is up and of use without it: said, not fatal.
            self._say("sample plant", "failed", refused.message)

    def _introduce(self, stack: Stack, chosen: Ports) -> None:
        status = replace(
            self._record.status,
            url=stack.envoy.url,
            ca_file=str(stack.envoy.ca),
            admin_url=f"http://127.0.0.1:{chosen.admin}",
            supervisor=os.getpid(),
        )
        self._record = Record(status, chosen, process.Proof.of(os.getpid()))
        self._note(state="starting")

    def _child(self, child: Child) -> None:
        proof = child.proof or process.Proof(0, 0.0)
        status = PartStatus(child.state, proof.pid, proof.started, child.restarts, child.detail)
        self._part(child.part.name, status)

    def _part(self, name: str, status: PartStatus) -> None:
        """Note a part for `status` and `down`, and tell it."""
        parts = {**self._record.status.parts, name: status}
        state = self._record.status.state
        if state in ("ready", "degraded"):
            state = "ready" if all(part.state in ("ready", "external") for part in parts.values()) else "degraded"
        self._note(parts=parts, state=state)
        self._say(name, status.state, status.detail)

    def _note(self, **changes: Any) -> None:
        self._record = replace(self._record, status=replace(self._record.status, **changes))
        write(self._home, self._record)

    def _say(self, part: str, state: PartState, detail: str = "") -> None:
        self._tell(Progress(part, state, detail, time.monotonic() - self._began))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let Ctrl-C, SIGTERM and a closed terminal ask to stop. Only the main thread may listen to signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, ask_to_stop) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def sweep(home: Home) -> int:
    """Stop what a supervisor that was killed left running. Returns how many processes that were."""
    record = read(home)
    if record is None:
        return 0
    found = 0
    for name, part in reversed(list(record.status.parts.items())):
        proof = process.Proof(part.pid, part.started)
        if part.pid and proof.alive():
            found += 1
            process.stop_stranger(proof, signal.SIGINT if name == "postgres" else signal.SIGTERM, _ORPHAN_GRACE_S)
    return found
