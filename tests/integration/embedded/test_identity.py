"""PostgreSQL never runs as root, whoever starts it and wherever its files are."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.embedded import identity, postgres, process
from services.embedded.failure import StackError
from services.embedded.postgres import Postgres, binaries
from tests.support.stack import running

_NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="fa-id-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


def cluster(folder: Path, who: identity.Identity) -> Postgres:
    sockets = folder / "s"
    sockets.mkdir()
    who.claim(sockets, within=folder)
    return Postgres(folder / "pg", sockets, who, {"fsync": "off"})


@as_root
def test_root_is_an_ordinary_user_inside_a_namespace(folder: Path) -> None:
    (folder / "pg").mkdir(mode=0o700)
    who = identity.choose(binaries() / "postgres", folder / "pg", within=folder)
    if not who.prefix:
        pytest.skip("user namespaces are off here")
    server = cluster(folder, who)
    server.initialise()
    with running(server.command(folder / "log"), server.ready):
        assert (folder / "pg" / "data").stat().st_uid == 0  # files stay ours, in a folder that only we may enter
    assert folder.stat().st_mode & 0o777 == 0o700


@as_root
def test_without_namespaces_root_becomes_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _reachable(binaries()):
        pytest.skip(f"{binaries()} is out of nobody's reach")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (folder / "pg").mkdir(mode=0o700)
    who = identity.choose(binaries() / "postgres", folder / "pg", within=folder)
    assert who.uid == _NOBODY
    server = cluster(folder, who)
    server.initialise()
    with running(server.command(folder / "log"), server.ready) as child:
        assert psutil.Process(child.pid).uids().real == _NOBODY
    assert folder.stat().st_mode & 0o777 == 0o711  # may be entered, not listed
    # What nobody has made is nobody's the next time as well, namespaces or not.
    monkeypatch.undo()
    assert identity.choose(binaries() / "postgres", folder / "pg", within=folder).uid == _NOBODY


@as_root
def test_where_nothing_works_it_is_said_what_would(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (folder / "pg").mkdir(mode=0o700)
    with pytest.raises(StackError, match="ordinary user"):
        identity.choose(folder / "no-postgres", folder / "pg", within=folder)
    assert (folder / "pg").stat().st_uid == 0


@as_root
@pytest.mark.parametrize("user", [1, 54321], ids=["with an account", "without one"])
def test_an_ordinary_user_runs_the_whole_stack(folder: Path, user: int) -> None:
    """In a namespace we are somebody without any privilege, and can still reach an interpreter under /root."""
    script = (
        "import os, sys; from pathlib import Path; from services.embedded import api; home = Path(sys.argv[1]);"
        "print(os.geteuid(), api.up(home, detach=True, on_progress=lambda _: None).state, api.down(home))"
    )
    unshare = shutil.which("unshare") or "unshare"
    words = [unshare, "--user", f"--map-user={user}", f"--map-group={user}", "--", sys.executable, "-c", script]
    if subprocess.run([*words[:5], "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("user namespaces are off here")
    done = subprocess.run(
        [*words, str(folder / "home")],
        env={**os.environ, "FACTORYAI_SAMPLE_PLANT": "false"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        cwd=folder,
    )
    assert done.stdout.strip() == f"{user} ready True", done.stderr


def test_an_orphaned_server_is_stopped_before_a_new_one_starts(folder: Path) -> None:
    (folder / "pg").mkdir(mode=0o700)
    who = identity.choose(binaries() / "postgres", folder / "pg", within=folder)
    server = cluster(folder, who)
    server.initialise()
    with running(server.command(folder / "log"), server.ready) as orphan:
        server.clear_remains()
        assert orphan.wait(10) == 0
    with running(server.command(folder / "log"), server.ready) as killed:
        os.kill(killed.pid, signal.SIGKILL)  # its backends outlive it for a moment, and it stays a zombie until reaped
        server.clear_remains()
        with running(server.command(folder / "log"), server.ready):
            assert not server.ready(killed.pid)


def test_another_major_version_is_refused(folder: Path) -> None:
    (folder / "pg" / "data").mkdir(parents=True)
    (folder / "pg" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(StackError, match="made by PostgreSQL 16"):
        cluster(folder, identity.Identity()).initialise()


def test_an_initialisation_that_was_cut_short_is_done_again(folder: Path) -> None:
    (folder / "pg" / "data.new").mkdir(parents=True)
    (folder / "pg" / "data.new" / "half").touch()
    who = identity.choose(binaries() / "postgres", folder / "pg", within=folder)
    server = cluster(folder, who)
    assert server.initialise()
    assert not server.initialise()


def _reachable(path: Path) -> bool:
    seen = subprocess.run(["test", "-r", str(path)], user=_NOBODY, group=_NOBODY, extra_groups=[], check=False)
    return seen.returncode == 0


def test_a_process_is_known_by_its_start_as_well(folder: Path) -> None:
    command = process.Command(argv=("sleep", "60"), log=folder / "log", env={"PATH": "/usr/bin:/bin"})
    child = process.spawn(command)
    proof = process.Proof.of(child.pid)
    assert proof is not None
    assert proof.alive()
    assert not process.Proof(child.pid, proof.started - 100).alive()
    process.stop_stranger(proof, signal.SIGTERM, 5)
    assert not proof.alive()  # a zombie: this process has not reaped it yet
    child.wait()


def test_initdb_tells_in_its_own_words_why_not(folder: Path) -> None:
    (folder / "pg").mkdir()
    server = Postgres(folder / "pg", folder, identity.Identity(prefix=("false",)))
    with pytest.raises(StackError, match="could not be initialised"):
        server.initialise()
    assert postgres.DATABASE == "factoryai"
