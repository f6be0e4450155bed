"""On a terminal: colour, progress and a prompt; none of that with NO_COLOR or in a pipe."""

import codecs
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

from services.cli.exit_codes import ExitCode
from tests.unit.cli import samples
from tests.unit.cli.edge import Edge

ROOT = Path(__file__).parents[3]
STREAM = "POST /v1/ask:stream"
PATIENCE_S = 30.0


class Terminal:
    """`factoryai` on a pseudo terminal."""

    def __init__(self, edge: Edge, *arguments: str, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "LANG", "LC_ALL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments],
            cwd=ROOT,
            env={
                **kept,
                "FACTORYAI_URL": edge.url,
                "TERM": "xterm-256color",
                "COLUMNS": "100",
                "LC_ALL": "C.UTF-8",
                **environment,
            },
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until `text` has come; what came before it is forgotten."""
        until = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            assert time.monotonic() < until, f"{text!r} never came; what came: {self.seen!r}"
            assert self._read(), f"{text!r} never came; what came: {self.seen!r}"
        self.seen = self.seen.partition(text)[2]

    def end(self) -> int:
        while self._read():
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], PATIENCE_S)
        assert ready, f"nothing came any more; what came: {self.seen!r}"
        try:
            piece = os.read(self._ours, 65536)
        except OSError:  # Linux tells the end of a terminal this way
            return False
        self.seen += self._decoder.decode(piece)  # a piece may end within a character
        return bool(piece)


@pytest.fixture
def answered(edge: Edge) -> Edge:
    edge.answer(STREAM, *samples.stream(samples.decision(samples.rank_table())))
    return edge


def test_a_terminal_gets_colour_and_a_way_to_go_on(answered: Edge) -> None:
    with Terminal(answered, "ask", "x", "--lang", "ko") as terminal:
        assert terminal.end() == ExitCode.OK
        assert "\x1b[33m[주의]" in terminal.seen
        assert "--conversation abc" in terminal.seen


def test_no_color_is_respected(answered: Edge) -> None:
    with Terminal(answered, "ask", "x", NO_COLOR="1") as terminal:
        assert terminal.end() == ExitCode.OK
        assert "\x1b[33m" not in terminal.seen


def test_a_conversation_at_the_prompt_ends_with_ctrl_d(answered: Edge) -> None:
    with Terminal(answered, "chat", "--lang", "ko") as terminal:
        terminal.wait_for("질문> ")
        terminal.type("불량률 어때?\n")
        terminal.wait_for("불량률은 3.1%입니다.")
        terminal.wait_for("질문> ")
        terminal.type("\x04")
        assert terminal.end() == ExitCode.OK
    assert [each.body["question"] for each in answered.asked] == ["불량률 어때?"]


def test_ctrl_c_at_the_prompt_drops_the_line_as_shells_do(edge: Edge) -> None:
    with Terminal(edge, "chat", "--lang", "en") as terminal:
        terminal.wait_for("ask> ")
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for("ask> ")
        terminal.type("/quit\n")
        assert terminal.end() == ExitCode.OK
    assert not edge.asked
