"""One loopback edge a test, and a way to run a command line in process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from services.cli.main import run
from tests.unit.cli.edge import Edge, serving


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Factoryai = Callable[..., Ran]


@pytest.fixture
def edge() -> Iterator[Edge]:
    with serving() as server:
        yield server


@pytest.fixture
def factoryai(edge: Edge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Factoryai:
    """Run `factoryai ARGUMENTS` against the loopback edge, in English unless told otherwise."""
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "FACTORYAI_LANG", "COLUMNS", "FACTORYAI_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FACTORYAI_URL", edge.url)
    monkeypatch.setenv("FACTORYAI_TOKEN", "token-of-tests")

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(arguments)
        written = capsys.readouterr()
        return Ran(code, written.out, written.err)

    return command
