"""PostgreSQL, the request log and Valkey as the chassis uses them."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services import errors
from services.chassis import migrate
from services.chassis.cache import ValkeyCache
from services.chassis.clock import SystemClock
from services.chassis.idempotency import Idempotency, MemoryRequestLog, PostgresRequestLog, RequestLog
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.errors import Reason
from tests.support import echo, server

FIRST = """
CREATE TABLE note (tenant text NOT NULL, body text NOT NULL, PRIMARY KEY (tenant, body));
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
ALTER TABLE note FORCE ROW LEVEL SECURITY;
CREATE POLICY note_tenant ON note USING (tenant = current_setting('app.tenant', true))
    WITH CHECK (tenant = current_setting('app.tenant', true));
"""
# One schema for each test: they share the server of the session.
_NAMES = iter(f"chassis_{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(676))


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_note.sql").write_text(FIRST)
    return folder


@pytest.fixture
def service() -> str:
    return next(_NAMES)


def open_database(url: str, service: str, migrations: Path, **options: Any) -> Database:
    return Database(url, service, migrations, clock=SystemClock(), metrics=Metrics(), **options)


@pytest_asyncio.fixture
async def database(postgres_url: str, service: str, migrations: Path) -> AsyncIterator[Database]:
    found = open_database(postgres_url, service, migrations)
    await found.start()
    await server.until(found.ready)
    yield found
    await found.close()


async def test_tenants_see_their_own_rows_only(database: Database) -> None:
    for tenant in ("acme", "beta"):
        async with database.transaction(tenant) as connection:
            await connection.execute("INSERT INTO note VALUES ($1, 'mine')", tenant)
    async with database.transaction("acme") as connection:
        assert [row["tenant"] for row in await connection.fetch("SELECT * FROM note")] == ["acme"]
        assert await connection.execute("UPDATE note SET body = 'x' WHERE tenant = 'beta'") == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction("acme") as connection:
            await connection.execute("INSERT INTO note VALUES ('beta', 'forged')")
    async with database.transaction("") as connection:
        assert await connection.fetch("SELECT * FROM note") == []


async def test_the_service_works_as_a_role_that_owns_nothing(database: Database, service: str) -> None:
    async with database.transaction("acme") as connection:
        row = await connection.fetchrow(
            "SELECT current_user AS who, rolsuper OR rolbypassrls OR rolcreaterole AS mighty FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert (row["who"], row["mighty"]) == (f"factoryai_{service}", False)
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == 0
    for forbidden in ("SELECT * FROM schema_migration", "CREATE TABLE mine (a int)", "ALTER TABLE note ADD b int"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction("acme") as connection:
                await connection.execute(forbidden)


async def test_a_failed_block_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction("acme") as connection:
            await connection.execute("INSERT INTO note VALUES ('acme', 'half')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction("acme") as connection:
            await connection.execute("INSERT INTO note VALUES ('acme', 'a'), ('acme', 'a')")
    async with database.transaction("acme") as connection:
        assert await connection.fetch("SELECT * FROM note") == []


async def test_errors_of_the_database_are_ours(postgres_url: str, database: Database) -> None:
    async def run(*statements: str) -> None:
        async with database.transaction("acme") as connection:
            for statement in statements:
                await connection.execute(statement)

    with pytest.raises(errors.DeadlineExceeded):
        await run("SET LOCAL statement_timeout = '20ms'", "SELECT pg_sleep(5)")
    await run("INSERT INTO note VALUES ('acme', 'a')")
    async with database.transaction("acme") as other:
        await other.execute("UPDATE note SET body = 'b'")
        with pytest.raises(errors.Conflict):
            await run("SET LOCAL lock_timeout = '20ms'", "UPDATE note SET body = 'c'")
    owner = await asyncpg.connect(postgres_url)

    async def be_killed() -> None:
        async with database.transaction("acme") as connection:
            await owner.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
            await connection.execute("SELECT 1")

    with pytest.raises(errors.Unavailable):
        await be_killed()
    await owner.close()
    async with database.transaction("acme") as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_full_pool_refuses(
    postgres_url: str, service: str, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.postgres.ACQUIRE_TIMEOUT_S", 0.05)
    small = open_database(postgres_url, service, migrations, max_size=1)
    await small.start()
    await server.until(small.ready)
    async with small.transaction("acme"):
        with pytest.raises(errors.Overloaded):
            async with small.transaction("acme"):
                pass
    await small.close()


async def test_many_processes_migrate_at_once(postgres_url: str, service: str, migrations: Path) -> None:
    crowd = [await asyncpg.connect(postgres_url) for _ in range(4)]
    wanted = migrate.read("service", migrations)
    # Without the retries of Database: not one of them may fail.
    await asyncio.gather(*(migrate.migrate(each, service, wanted) for each in crowd))
    applied = await crowd[0].fetchval(f"SELECT count(*) FROM {service}.schema_migration")  # noqa: S608
    assert applied == 1
    for each in crowd:
        await each.close()


async def test_an_edited_migration_is_refused_and_a_new_one_applied(
    postgres_url: str, service: str, migrations: Path, database: Database
) -> None:
    (migrations / "0002_more.sql").write_text("ALTER TABLE note ADD COLUMN more text")
    second = open_database(postgres_url, service, migrations)
    await second.start()
    await server.until(second.ready)
    await second.close()
    (migrations / "0001_note.sql").write_text(FIRST + "-- edited")
    third = open_database(postgres_url, service, migrations)
    await third.start()
    await server.until(lambda: "edited" in third.problem)
    assert not await third.ready()
    with pytest.raises(errors.Unavailable):
        async with third.transaction("acme"):
            pass
    await third.close()
    assert await database.ready()


async def test_missing_privileges_are_said_in_a_sentence(postgres_url: str, service: str, migrations: Path) -> None:
    owner = await asyncpg.connect(postgres_url)
    await owner.execute(f"CREATE ROLE weak_{service}; GRANT weak_{service} TO CURRENT_USER WITH SET TRUE")
    await owner.close()
    # asyncpg makes a setting of what it does not know in a URL, so this session is the weak role's.
    url = f"{postgres_url}&role=weak_{service}"
    weak = open_database(url, service, migrations)
    await weak.start()
    await server.until(lambda: "GRANT CREATE ON DATABASE" in weak.problem)
    await weak.close()


@pytest.fixture(params=["memory", "postgres"])
def request_log(request: pytest.FixtureRequest) -> RequestLog:
    if request.param == "memory":
        return MemoryRequestLog(SystemClock())
    return PostgresRequestLog(request.getfixturevalue("database"))


async def test_a_write_is_done_once(request_log: RequestLog) -> None:
    pb, _ = echo.stubs()
    once = Idempotency(request_log, metrics=Metrics())
    done = 0

    async def work() -> Any:
        nonlocal done
        done += 1
        return pb.EchoResponse(number=done)

    async def write(text: str, request_id: str = "r-1", tenant: str = "acme") -> tuple[int, bool]:
        request = pb.EchoRequest(text=text)
        answer, mine = await once.once(tenant, request_id, "Echo", request, work, pb.EchoResponse)
        return answer.number, mine

    assert await write("a") == (1, True)
    assert await write("a") == (1, False)
    with pytest.raises(errors.AlreadyExists) as reused:
        await write("b")
    assert (reused.value.reason, reused.value.metadata) == (Reason.REQUEST_ID_REUSED, {"request_id": "r-1"})
    assert await write("a", tenant="beta") == (2, True)
    assert await write("a", request_id="") == (3, True)
    assert await write("a", request_id="") == (4, True)


async def test_work_in_progress_conflicts_and_failed_work_frees_the_id(request_log: RequestLog) -> None:
    pb, _ = echo.stubs()
    once = Idempotency(request_log, metrics=Metrics())
    began, go = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        began.set()
        await go.wait()
        raise errors.NotFound("no")

    async def quick() -> Any:
        return pb.EchoResponse(number=7)

    def write(work: Any) -> Any:
        return once.once("acme", "r-1", "Echo", pb.EchoRequest(), work, pb.EchoResponse)

    first = asyncio.create_task(write(slow))
    await began.wait()
    with pytest.raises(errors.Conflict) as busy:
        await write(quick)
    assert busy.value.retry_after
    go.set()
    with pytest.raises(errors.NotFound):
        await first
    began.clear()
    go.clear()
    second = asyncio.create_task(write(slow))
    await began.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    answer, mine = await write(quick)
    assert (answer.number, mine) == (7, True)


async def test_a_claim_of_the_dead_runs_out_and_the_dead_cannot_complete(request_log: RequestLog) -> None:
    dead, mine = await request_log.claim("acme", "Echo", "r", b"d", 0.01)
    assert mine
    await asyncio.sleep(0.05)  # the lease is the database's time, which no test can move
    heir, mine = await request_log.claim("acme", "Echo", "r", b"d", 10)
    assert (mine, heir.claim) == (True, dead.claim + 1)
    await request_log.complete("acme", "Echo", "r", dead.claim, b"late")
    await request_log.release("acme", "Echo", "r", dead.claim)
    entry, mine = await request_log.claim("acme", "Echo", "r", b"d", 10)
    assert (mine, entry.response) == (False, None)
    await request_log.complete("acme", "Echo", "r", heir.claim, b"answer")
    entry, mine = await request_log.claim("acme", "Echo", "r", b"d", 10)
    assert (mine, entry.response) == (False, b"answer")


async def test_valkey_keeps_and_forgets(valkey_url: str) -> None:
    cache = ValkeyCache(valkey_url, clock=SystemClock(), metrics=Metrics())
    await cache.set("k", b"\x00v", 60)
    assert await cache.get("k") == b"\x00v"
    await cache.delete("k")
    assert await cache.get("k") is None
    await cache.close()


async def test_without_valkey_nothing_is_found_and_nothing_is_slow() -> None:
    with socket.socket() as listening:  # accepts, and never answers
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        metrics = Metrics()
        cache = ValkeyCache(f"redis://127.0.0.1:{port}/0", clock=SystemClock(), metrics=metrics, timeout_s=0.02)
        async with asyncio.timeout(2):
            for _ in range(200):
                assert await cache.get("k") is None
                await cache.set("k", b"v", 1)
        await cache.close()
    assert b'breaker="cache",state="open"' in metrics.exposition()
