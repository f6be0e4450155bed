"""What is missing at the start or dies in flight: the database, Valkey, the service itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from services import errors
from services.chassis.cache import ValkeyCache
from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.embedded import identity, postgres, process, valkey
from tests.support import echo, server
from tests.support.server import calling
from tests.support.stack import running


async def test_a_service_starts_without_its_database_and_recovers(tmp_path: Path, short_folder: Path) -> None:
    folder = short_folder / "late"
    sockets = folder / "s"
    sockets.mkdir(parents=True)
    who = identity.choose(postgres.binaries() / "postgres", folder, within=short_folder)
    who.claim(sockets, within=short_folder)
    own = postgres.Postgres(folder, sockets, who, {"fsync": "off"})
    pb, grpc_module = echo.stubs()
    own.initialise()
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_note.sql").write_text("CREATE TABLE note (tenant text NOT NULL)")
    late = Database(own.url(), "router", migrations, clock=SystemClock(), metrics=Metrics())
    part = echo.EchoPart("router", start=late.start, ready=late.ready, stop=late.close)

    async def count() -> str:
        async with late.transaction("acme") as connection:
            return str(await connection.fetchval("SELECT count(*) FROM note"))

    def command() -> process.Command:
        return own.command(folder / "log")

    async with server.serve(Part(server.settings(echo.EchoSettings, tmp_path), part.build)) as host:
        part.servicer.work = count
        stub = grpc_module.EchoServiceStub(host.channel("router"))
        with calling("acme"):
            with pytest.raises(errors.Unavailable) as gone:
                await stub.Echo(pb.EchoRequest(order="work"))
            assert (gone.value.metadata, gone.value.retry_after) == ({"dependency": "database"}, 1.0)
            assert not host.host.health.ready()
            for _ in range(2):  # it arrives, is killed in flight, and arrives again
                with running(command(), own.ready):
                    await server.until(host.host.health.ready, 30)
                    assert (await stub.Echo(pb.EchoRequest(order="work"))).text == "0"
                with pytest.raises(errors.Unavailable):
                    await stub.Echo(pb.EchoRequest(order="work"))
                await server.until(lambda: not host.host.health.ready(), 30)


async def test_valkey_killed_and_back(short_folder: Path) -> None:
    folder = short_folder / "killed"
    folder.mkdir()
    own = valkey.Valkey(folder, folder)
    own.initialise()
    cache = ValkeyCache(own.url(), clock=SystemClock(), metrics=Metrics())

    async def kept() -> bool:
        await cache.set("k", b"v", 60)
        return await cache.get("k") == b"v"

    with running(own.command(folder / "log"), lambda _: own.ready()) as child:
        assert await kept()
        child.kill()
        child.wait()
        assert await cache.get("k") is None
    with running(own.command(folder / "log"), lambda _: own.ready()):
        await server.until(kept)
    await cache.close()


def test_a_service_checks_its_settings_and_stops_on_a_signal(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        "import sys\n"
        "from services.chassis.main import run\n"
        "from tests.support.echo import EchoPart, EchoSettings\n"
        "part = EchoPart('router')\n"
        "def build(settings, platform):\n"
        "    return part.build(settings, platform)\n"
        "build.__module__ = 'services.router.wiring'\n"
        "sys.exit(run(EchoSettings, build))\n"
    )
    root = Path(__file__).parents[3]
    base = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{root}:{root / 'gen'}", "AUTH_REQUIRED": "false"}

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(tmp_path / "run.py"), *arguments],
            env=base | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    with start("--check-config") as child:
        out, _ = child.communicate(timeout=30)
        assert (child.returncode, out) == (0, "router: the settings are valid\n")
    with start("--check-config", PORT="x", ENVIRONMENT="production") as child:
        _, said = child.communicate(timeout=30)
        assert child.returncode == 2
        assert "PORT" in said
        assert "JWKS_FILE" in said
    with start() as child:
        assert child.stdout is not None
        for line in child.stdout:
            if '"event":"ready"' in line:
                break
        child.terminate()
        out, said = child.communicate(timeout=30)
        assert (child.returncode, said) == (0, "")
        assert '"event":"drained"' in out
