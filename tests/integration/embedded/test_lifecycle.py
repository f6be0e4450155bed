"""The whole stack, started and stopped as people do, and mistreated."""

import dataclasses
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from services.embedded import api, home, ports
from services.embedded.failure import StackError
from services.embedded.identity import Identity
from services.embedded.postgres import Postgres
from services.embedded.runner import Run
from services.embedded.stack import local_postgres
from tests.support.stack import RunningStack, running_stack, wait_for

PARTS = ("postgres", "valkey", "services", "envoy")
_FOREGROUND = """
import sys
from pathlib import Path
from services.embedded import api
def tell(step): print(step.part, step.state, step.detail, flush=True)
print("ended", api.up(Path(sys.argv[1]), detach=False, on_progress=tell).state)
"""


@pytest.fixture(scope="module", autouse=True)
def _without_sample_plant() -> Iterator[None]:
    """Nothing here asks for data; the shared `stack` loads them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTORYAI_SAMPLE_PLANT", "false")
        yield


@pytest.fixture(scope="module")
def battered(short_folder: Path, _without_sample_plant: None) -> Iterator[RunningStack]:
    """A stack to be mistreated; each test leaves it ready."""
    with running_stack(short_folder / "battered") as running:
        yield running


def database(place: Path) -> Postgres:
    return local_postgres(home.at(place), Identity())


def processes_of(place: Path) -> list[int]:
    """Every live process that works in the home or names it, however deep it sits."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "cwd", "status"]):
        words = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(place) in word for word in words):
            found.append(process.info["pid"])
    return found


def ready(place: Path) -> Callable[[], bool]:
    def check() -> bool:
        now = api.status(place)
        return now.state == "ready" and all(part.state == "ready" for part in now.parts.values())

    return check


def test_up_tells_every_step_and_status_tells_every_part(battered: RunningStack) -> None:
    steps = [(step.part, step.state) for step in battered.progress]
    for part in PARTS:
        assert steps.index((part, "starting")) < steps.index((part, "ready"))
    assert steps[-1] == ("stack", "ready")
    status = api.status(battered.home).to_json()
    assert status["state"] == "ready"
    assert str(status["url"]).startswith("https://localhost:")
    assert Path(str(status["ca_file"])).exists()
    parts = status["parts"]
    assert isinstance(parts, dict)
    assert {name: part["state"] for name, part in parts.items()} == dict.fromkeys(PARTS, "ready")
    assert all(psutil.pid_exists(part["pid"]) for part in parts.values())
    assert len(parts["services"]["members"]) == 6


def test_no_secret_is_in_a_command_line_and_the_home_is_private(battered: RunningStack) -> None:
    secrets = [(battered.home / part / "password").read_text() for part in ("postgres", "valkey")]
    for part in PARTS:
        words = " ".join(psutil.Process(battered.pid(part)).cmdline())
        assert not any(secret in words for secret in secrets)
    logs = "".join(log.read_text(errors="replace") for log in (battered.home / "logs").iterdir())
    assert not any(secret in logs for secret in secrets)
    assert stat.S_IMODE(battered.home.stat().st_mode) == 0o700
    for secret in ("postgres/password", "valkey/password", "valkey/valkey.conf", "keys/signing.pem", "tls/ca.key"):
        assert stat.S_IMODE((battered.home / secret).stat().st_mode) == 0o600


def test_a_second_up_of_the_same_home_is_refused(battered: RunningStack) -> None:
    with pytest.raises(StackError, match="already running"):
        api.up(battered.home, detach=True, on_progress=lambda _: None)
    assert api.status(battered.home).state == "ready"


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_comes_back(battered: RunningStack, part: str) -> None:
    before = api.status(battered.home).parts[part]
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: api.status(battered.home).parts[part].restarts > before.restarts, f"{part} to be restarted")
    wait_for(ready(battered.home), "the stack to be ready again")
    after = api.status(battered.home).parts[part]
    assert after.pid != before.pid
    log = (battered.home / "logs" / "supervisor.log").read_text()
    assert f"{part}: died killed by signal 9" in log


async def test_a_stack_that_was_killed_whole_starts_again_with_its_data(battered: RunningStack) -> None:
    await write(battered.home, 4711)
    now = api.status(battered.home)
    for pid in (now.supervisor, *(part.pid for part in now.parts.values())):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: api.status(battered.home).state == "died", "the status to tell")
    assert "was killed" in api.status(battered.home).detail
    api.up(battered.home, detach=True, on_progress=lambda _: None)
    assert await read(battered.home) == 4711


def test_when_only_the_supervisor_is_killed_nothing_stays(battered: RunningStack) -> None:
    now = api.status(battered.home)
    os.kill(now.supervisor, signal.SIGKILL)
    if sys.platform == "linux":  # elsewhere they stay until `down`
        wait_for(lambda: not processes_of(battered.home), "the parts to follow their supervisor")
    api.down(battered.home)
    assert not processes_of(battered.home)
    api.up(battered.home, detach=True, on_progress=lambda _: None)
    assert api.status(battered.home).state == "ready"


async def test_down_leaves_nothing_and_data_survive(short_folder: Path) -> None:
    place = short_folder / "tidy"
    with running_stack(place) as first:
        await write(place, 1)
        before = dict.fromkeys(PARTS) | {part: first.pid(part) for part in PARTS}
        assert api.down(place)
        assert not api.down(place)
    assert not processes_of(place)
    assert not [pid for pid in before.values() if pid is not None and psutil.pid_exists(pid) and _ours(pid)]
    assert not list((place / "run").rglob("*.sock*"))
    assert not list((place / "run").rglob(".s.PGSQL*"))
    assert api.status(place).state == "stopped"
    assert {part.state for part in api.status(place).parts.values()} == {"stopped"}
    (place / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{place}\n1\n5432\n\n\n  1  1\nready\n")
    with running_stack(place):  # the process id in that stale file is alive, and is no PostgreSQL
        assert await read(place) == 1


def _ours(pid: int) -> bool:
    return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and psutil.Process(pid).name() in PARTS


def test_ctrl_c_stops_in_reverse_and_leaves_nothing(short_folder: Path) -> None:
    place = short_folder / "foreground"
    command = [sys.executable, "-c", _FOREGROUND, str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=short_folder) as up:
        assert up.stdout is not None
        lines = []
        for line in up.stdout:
            lines.append(line.strip())
            if line.startswith("stack ready"):
                up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
    assert lines[-1] == "ended stopped"
    stopped = [line.split()[0] for line in lines if line.endswith(" stopped") and not line.startswith("ended")]
    assert stopped == list(reversed(PARTS))
    assert not processes_of(place)


async def test_taken_ports_are_given_way_and_told(short_folder: Path) -> None:
    with socket.socket() as edge, socket.socket() as data:
        for occupied, port in ((edge, 8443), (data, 8030)):
            try:
                occupied.bind(("127.0.0.1", port))
                occupied.listen()
            except OSError:
                pass  # somebody else holds it, which is as good
        with running_stack(short_folder / "moved") as running:
            told = [step.detail for step in running.progress if step.part == "ports"]
            assert running.url != "https://localhost:8443"
            async with running.client() as client:
                assert (await client.get("/ready")).status_code == 200
    assert any(line.startswith("envoy: port 8443 is taken, using") for line in told)
    assert any(line.startswith("data: port 8030 is taken, using") for line in told)


async def write(place: Path, number: int) -> None:
    connection = await asyncpg.connect(database(place).url())
    await connection.execute("DROP TABLE IF EXISTS kept; CREATE TABLE kept (number int)")
    await connection.execute("INSERT INTO kept VALUES ($1)", number)
    await connection.close()


async def read(place: Path) -> object:
    connection = await asyncpg.connect(database(place).url())
    number = await connection.fetchval("SELECT number FROM kept")
    await connection.close()
    return number


def test_start_up_is_quick(battered: RunningStack) -> None:
    """The second start, with everything there: well under ten seconds on two busy cores."""
    api.down(battered.home)
    began = time.monotonic()
    api.up(battered.home, detach=True, on_progress=lambda _: None)
    assert time.monotonic() - began < 10


def test_a_port_taken_between_look_and_start_is_given_way_too(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = short_folder / "raced"
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        looked = ports.choose()
        looks = iter([dataclasses.replace(looked, admin=thief.getsockname()[1])])
        choose = ports.choose
        monkeypatch.setattr(ports, "choose", lambda: next(looks, None) or choose())
        steps: list[str] = []
        run = Run(home.at(place), lambda step: steps.append(step.detail), lambda _: run.stop(), separate=False)
        assert run.run().state == "stopped"
    assert any("took a port meanwhile" in detail for detail in steps)
