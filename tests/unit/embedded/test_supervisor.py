"""The supervisor over small real processes."""

import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from services.embedded import process, supervisor
from services.embedded.failure import StackError
from services.embedded.process import Command
from services.embedded.supervisor import Child, Part, Supervisor

_STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


class Journal:
    """What the supervisor reported."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.details: dict[str, str] = {}
        self.stop = threading.Event()

    def __call__(self, child: Child) -> None:
        self.lines.append((child.part.name, child.state))
        self.details[child.part.name] = child.detail

    def supervise(self, *parts: Part) -> Supervisor:
        return Supervisor(parts, self, lambda: not self.stop.is_set())


def part(folder: Path, name: str, *argv: str) -> Part:
    command = Command(argv=argv or ("sleep", "60"), log=folder / f"{name}.log", env={"PATH": "/usr/bin:/bin"})
    return Part(name, lambda: command, lambda _: True)


def test_starts_in_order_and_stops_in_reverse(tmp_path: Path) -> None:
    journal = Journal()
    tested = journal.supervise(part(tmp_path, "first"), part(tmp_path, "second"))
    tested.start()
    proofs = [child.proof for child in tested.children]
    tested.stop()
    assert [line for line in journal.lines if line[1] == "starting"] == [("first", "starting"), ("second", "starting")]
    assert journal.lines[-4:] == [
        ("second", "stopping"),
        ("second", "stopped"),
        ("first", "stopping"),
        ("first", "stopped"),
    ]
    assert not any(proof is not None and proof.alive() for proof in proofs)


def test_what_was_killed_comes_back(tmp_path: Path) -> None:
    journal = Journal()
    tested = journal.supervise(part(tmp_path, "one"))
    tested.start()
    child = tested.children[0]
    watching = threading.Thread(target=tested.watch)
    watching.start()
    try:
        first = child.proof
        assert first is not None
        process.stop_stranger(first, signal.SIGKILL, 5)
        _until(lambda: journal.lines[-1] == ("one", "ready") and child.restarts == 1)
        assert child.proof != first
        assert ("one", "died") in journal.lines
    finally:
        journal.stop.set()
        watching.join()
        tested.stop()


def test_what_keeps_dying_is_given_up_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_FIRST_BACKOFF_S", 0.01)
    journal = Journal()
    alive = tmp_path / "alive"
    alive.touch()
    script = f"test -e {alive} && exec sleep 60; echo no luck today; exit 3"
    tested = journal.supervise(part(tmp_path, "sick", "sh", "-c", script), part(tmp_path, "well"))
    tested.start()
    watching = threading.Thread(target=tested.watch)
    watching.start()
    try:
        alive.unlink()
        first = tested.children[0].proof
        assert first is not None
        process.stop_stranger(first, signal.SIGKILL, 5)
        _until(lambda: tested.children[0].state == "failed")
        assert "no luck today" in journal.details["sick"]
        assert "exit code 3" in journal.details["sick"]
        assert tested.children[1].state == "ready"
    finally:
        journal.stop.set()
        watching.join()
        tested.stop()


def test_a_part_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    journal = Journal()
    never = part(tmp_path, "broken", "sh", "-c", "echo the reason >&2; exit 7")
    tested = journal.supervise(part(tmp_path, "fine"), Part("broken", never.command, lambda _: False))
    with pytest.raises(StackError, match=r"broken did not start: exit code 7, the reason \(see .*broken.log\)"):
        tested.start()
    proof = tested.children[0].proof
    assert proof is not None
    assert not proof.alive()


def test_a_part_that_never_gets_ready_is_not_awaited_for_ever(tmp_path: Path) -> None:
    slow = part(tmp_path, "slow")
    tested = Journal().supervise(Part("slow", slow.command, lambda _: False, patience_s=0.2))
    with pytest.raises(StackError, match="slow was not ready"):
        tested.start()


def test_a_part_that_ignores_its_signal_is_killed_and_told(tmp_path: Path) -> None:
    journal = Journal()
    log = tmp_path / "stubborn.log"
    stubborn = part(tmp_path, "stubborn", sys.executable, "-c", _STUBBORN)
    tested = journal.supervise(Part("stubborn", stubborn.command, lambda _: "up" in log.read_text(), grace_s=0.2))
    tested.start()
    tested.stop()
    assert "had to be killed" in journal.details["stubborn"]


def _until(condition: object) -> None:
    assert callable(condition)
    limit = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)
