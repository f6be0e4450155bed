"""Bringing a service's schema up to date: its role, its schema, its numbered migrations, once and in order."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import asyncpg
import structlog

log = structlog.get_logger(__name__)

OLDEST_SERVER = 160_000
# One lock for all services: they share roles and the database, and the first start of six must not race.
_LOCK = 0x66616374  # "fact"
_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")
_SERVICE = re.compile(r"^[a-z][a-z_]{0,30}$")

# Beside the schema's tables but none of them: it holds no tenant's rows and the service's role cannot see it.
_LEDGER = """
CREATE TABLE IF NOT EXISTS {schema}.schema_migration (
    origin text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (origin, number)
)"""


class MigrationError(Exception):
    """The database cannot be brought up to date; the message says what a person has to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file of SQL. `origin` is "chassis" or "service"."""

    origin: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text: an applied migration must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read(origin: str, folder: Traversable) -> list[Migration]:
    """Read the `NNNN_name.sql` files of a folder in order. Raises MigrationError on a gap or a double number."""
    found: list[Migration] = []
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.match(file.name)
        if match is None:
            raise MigrationError(f"{file.name} is no migration name; wanted NNNN_what_it_does.sql")
        found.append(Migration(origin, int(match[1]), file.name, file.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"migrations of {origin} are numbered {numbers}; wanted 1, 2, 3 without gaps")
    return found


def role_of(service: str) -> str:
    """Name the role that the service works as: no owner, no superuser, no way around row level security."""
    if not _SERVICE.match(service):
        raise ValueError(f"{service!r} is no service name")
    return f"factoryai_{service}"


async def migrate(connection: asyncpg.Connection, service: str, migrations: Sequence[Migration]) -> None:
    """Create role and schema where missing and apply what has not been applied. Safe to run from many processes.

    Raises MigrationError with a sentence for a person when the server is too old, privileges are missing, or an
    applied migration was edited; asyncpg's errors when the connection fails.
    """
    role, schema = role_of(service), f'"{service}"'
    await _check(connection, service, role)
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        async with connection.transaction():
            await _prepare(connection, service, role, schema)
        applied = {
            (row["origin"], row["number"]): row["checksum"]
            for row in await connection.fetch(f"SELECT origin, number, checksum FROM {schema}.schema_migration")  # noqa: S608 - the name was checked
        }
        for migration in migrations:
            known = applied.get((migration.origin, migration.number))
            if known is None:
                await _apply(connection, service, schema, migration)
            elif known != migration.checksum:
                raise MigrationError(
                    f"migration {migration.name} of {service} was edited after it had been applied; "
                    "restore its text and write a new migration"
                )
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _check(connection: asyncpg.Connection, service: str, role: str) -> None:
    row = await connection.fetchrow(
        """
        SELECT current_setting('server_version_num')::int AS version,
               current_setting('server_version') AS version_name,
               current_database() AS database, current_user AS who,
               has_database_privilege(current_database(), 'CREATE') AS may_create,
               (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_create_role,
               EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS has_schema,
               EXISTS (SELECT FROM pg_roles WHERE rolname = $2) AS has_role
        """,
        service,
        role,
    )
    if row["version"] < OLDEST_SERVER:
        raise MigrationError(f"PostgreSQL 16 or newer is needed; this server is {row['version_name']}")
    if not row["has_schema"] and not row["may_create"]:
        raise MigrationError(
            f"database user {row['who']} may not create schemas in {row['database']}; an administrator can run: "
            f'GRANT CREATE ON DATABASE "{row["database"]}" TO "{row["who"]}"'
        )
    if not row["has_role"] and not row["may_create_role"]:
        raise MigrationError(
            f"database user {row['who']} may not create the role {role}; an administrator can run: "
            f'ALTER ROLE "{row["who"]}" CREATEROLE'
        )


async def _prepare(connection: asyncpg.Connection, service: str, role: str, schema: str) -> None:
    facts = await connection.fetchrow(
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS has_role,"
        " EXISTS (SELECT FROM pg_namespace WHERE nspname = $2) AS has_schema",
        role,
        service,
    )
    if not facts["has_role"]:
        await connection.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", role):
        await connection.execute(f"GRANT {role} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE")
    if not facts["has_schema"]:
        await connection.execute(f"CREATE SCHEMA {schema}")
    # The ledger comes before the default privileges, so that the service's role gets none on it.
    await connection.execute(_LEDGER.format(schema=schema))
    await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {role}")
    for what, kind in (("SELECT, INSERT, UPDATE, DELETE", "TABLES"), ("USAGE", "SEQUENCES")):
        # Default privileges and not a grant after each migration: a migration may take some back for good,
        # for a table that is append-only.
        await connection.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {what} ON {kind} TO {role}")


async def _apply(connection: asyncpg.Connection, service: str, schema: str, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL search_path = {schema}, public")
            await connection.execute(migration.sql)
            await connection.execute(
                f"INSERT INTO {schema}.schema_migration (origin, number, name, checksum) VALUES ($1, $2, $3, $4)",  # noqa: S608 - the name was checked
                migration.origin,
                migration.number,
                migration.name,
                migration.checksum,
            )
    except (asyncpg.SyntaxOrAccessError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as refused:
        raise MigrationError(f"migration {migration.name} of {service} failed: {refused}") from refused
    log.info("migrated", service=service, migration=migration.name)
