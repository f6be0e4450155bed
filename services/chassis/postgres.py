"""PostgreSQL: one pool a service, its schema first on the search path, its own role, its tenant in each transaction."""

import asyncio
import contextlib
import importlib.resources
import random
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from importlib.resources.abc import Traversable
from typing import Any

import asyncpg
import structlog

from services import errors
from services.chassis import migrate, migrations
from services.chassis.clock import Clock
from services.chassis.metrics import Metrics

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5.0
ACQUIRE_TIMEOUT_S = 5.0
READY_TIMEOUT_S = 1.0
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TRANSACTION_TIMEOUT_MS = 60_000
BACKOFF_S = (0.1, 5.0)
RETRY_AFTER_S = 1.0

_NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)\s*$", re.MULTILINE)

# What says "the database is not there", as opposed to "the database said no".
_GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a standby
    asyncpg.DiskFullError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


class Database:
    """The database of one service. Construction does no I/O; `start` returns at once and never gives up."""

    def __init__(
        self, url: str, service: str, migrations: Traversable, *, clock: Clock, metrics: Metrics, max_size: int = 8
    ) -> None:
        self._url = url
        self._service = service
        self._role = migrate.role_of(service)
        self._migrations = migrations
        self._clock = clock
        self._max_size = max_size
        self._up = metrics.db_up.labels(service)
        self._duration = metrics.db_transaction_duration
        self._connections = metrics.db_connections
        self._pool: asyncpg.Pool | None = None
        self._starting: asyncio.Task[None] | None = None
        # One sentence for people about why the database is not ready; empty when it is.
        self.problem = "the database has not been connected yet"

    async def start(self) -> None:
        """Connect and migrate in the background, again and again until it works. Returns at once."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._connect_until_ready(), name=f"database {self._service}")

    async def ready(self) -> bool:
        """Say whether migrations are through and the database answers within a second."""
        pool = self._pool
        if pool is None:
            self._up.set(0)
            return False
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                await pool.fetchval("SELECT 1")
        except (*_GONE, TimeoutError, asyncpg.InterfaceError) as failure:
            self.problem = _say(failure)
            self._up.set(0)
            return False
        self.problem = ""
        self._up.set(1)
        self._connections.labels(self._service, "idle").set(pool.get_idle_size())
        self._connections.labels(self._service, "used").set(pool.get_size() - pool.get_idle_size())
        return True

    @contextlib.asynccontextmanager
    async def transaction(self, tenant: str) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction that sees the rows of `tenant` only. Commits at the end of the block, rolls back on error.

        Raises Unavailable when the database is out of reach, Overloaded when no connection of the pool comes free,
        Conflict on a serialization failure or deadlock, DeadlineExceeded when a statement runs out of time. Unique
        violations stay asyncpg's: only the store knows what they mean.
        """
        pool = self._pool
        if pool is None:
            raise self._unavailable()
        began = time.perf_counter()
        outcome = "error"
        try:
            with _translated(self._unavailable):
                connection = await self._acquire(pool)
                try:
                    async with connection.transaction():
                        await connection.execute("SELECT set_config('app.tenant', $1, true)", tenant)
                        yield connection
                finally:
                    await pool.release(connection)
            outcome = "committed"
        finally:
            self._duration.labels(self._service, outcome).observe(time.perf_counter() - began)

    async def close(self) -> None:
        """Stop connecting and close the pool; what is under way has five seconds to finish."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
            self._starting = None
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()
        self._up.set(0)
        self.problem = "the database is closed"

    def _unavailable(self) -> errors.Unavailable:
        return errors.Unavailable(
            "the database is out of reach", metadata={"dependency": "database"}, retry_after=RETRY_AFTER_S
        )

    async def _acquire(self, pool: asyncpg.Pool) -> Any:
        try:
            return await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError:
            if pool.get_size() < self._max_size:  # it was connecting that took the time
                raise self._unavailable() from None
            raise errors.Overloaded(
                "no database connection came free", metadata={"dependency": "database"}, retry_after=RETRY_AFTER_S
            ) from None

    async def _connect_until_ready(self) -> None:
        delay, longest = BACKOFF_S
        while True:
            try:
                self._pool = await self._connect()
            except (*_GONE, TimeoutError, migrate.MigrationError, asyncpg.PostgresError, asyncpg.InterfaceError) as why:
                if _say(why) != self.problem:  # once a problem, not once an attempt
                    self.problem = _say(why)
                    log.warning("database not ready", service=self._service, problem=self.problem)
            else:
                self.problem = ""
                log.info("database ready", service=self._service)
                return
            # Full jitter: six services must not knock in step. No secret hangs on it.
            await asyncio.sleep(random.uniform(delay / 2, delay))  # noqa: S311
            delay = min(delay * 2, longest)

    async def _connect(self) -> asyncpg.Pool:
        owner = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_S, server_settings={"lock_timeout": "60s"})
        try:
            chassis = migrate.read("chassis", importlib.resources.files(migrations))
            await migrate.migrate(owner, self._service, [*chassis, *migrate.read("service", self._migrations)])
        finally:
            await owner.close(timeout=CONNECT_TIMEOUT_S)
        pool = asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._max_size,
            timeout=CONNECT_TIMEOUT_S,
            max_inactive_connection_lifetime=300,
            reset=_nothing_to_reset,
            # Set while connecting, so these cost no round trip and survive a reset.
            server_settings={
                "role": self._role,
                "search_path": f'"{self._service}", public',
                "application_name": f"factoryai {self._service}",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TRANSACTION_TIMEOUT_MS),
                "timezone": "UTC",
                "jit": "off",  # short queries: compiling them costs more than running them
            },
        )
        try:
            return await pool
        except BaseException:
            pool.terminate()
            raise


async def _nothing_to_reset(_: asyncpg.Connection) -> None:
    """Leave a connection as it is: all that is ever set is set by SET LOCAL and ended with its transaction.

    asyncpg's own reset is a round trip per transaction.
    """


@contextlib.contextmanager
def _translated(unavailable: Any) -> Iterator[None]:
    try:
        yield
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as busy:
        raise errors.Conflict(f"somebody else was faster: {busy}", retry_after=0.05) from busy
    except asyncpg.QueryCanceledError as late:
        raise errors.DeadlineExceeded("a statement ran out of time", metadata={"dependency": "database"}) from late
    except (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError) as unkept:
        # Protobuf strings may hold zero bytes, PostgreSQL's cannot.
        raise errors.Invalid("a text of the request holds a zero byte, which cannot be kept") from unkept
    except TimeoutError:  # an OSError since Python 3.10, but the caller's own
        raise
    except _GONE as gone:
        raise unavailable() from gone
    except asyncpg.InterfaceError as misuse:
        # "connection is closed", "pool is closing": the ways asyncpg says gone once it has noticed itself.
        if "clos" in str(misuse):
            raise unavailable() from misuse
        raise


def _say(failure: BaseException) -> str:
    if isinstance(failure, migrate.MigrationError):
        return str(failure)
    # The text of a connection error may hold host and user, never the password.
    return f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__


class Queries(Mapping[str, str]):
    """The named SQL of one `queries.sql`: blocks that start with `-- name: insert_run` and then say what they do."""

    def __init__(self, text: str) -> None:
        names = list(_NAME.finditer(text))
        self._queries: dict[str, str] = {}
        for match, following in zip(names, [*names[1:], None], strict=True):
            name, block = match[1], text[match.end() : following.start() if following else None].strip()
            if name in self._queries:
                raise ValueError(f"two queries are named {name}")
            if not block.startswith("--"):
                raise ValueError(f"query {name} does not say what it does")
            lines = block.splitlines()
            while lines and lines[0].startswith("--"):
                lines.pop(0)
            sql = "\n".join(lines).strip().rstrip(";")
            if not sql:
                raise ValueError(f"query {name} is empty")
            self._queries[name] = sql

    @classmethod
    def load(cls, package: str) -> "Queries":
        """Read `queries.sql` of a package, such as "services.workflow.store"."""
        return cls((importlib.resources.files(package) / "queries.sql").read_text(encoding="utf-8"))

    def __getitem__(self, name: str) -> str:
        return self._queries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)
