"""Servers that were there before us: used as they are, after a look at whether they will do."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import redis

from services.embedded.failure import StackError
from services.embedded.table import SIX

OLDEST = 16
_TIMEOUT_S = 10
_PRIVILEGES = """
SELECT current_user AS role,
       current_database() AS database,
       pg_is_in_recovery() AS standby,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_create_roles,
       ARRAY(SELECT needed FROM unnest($1::text[]) AS needed
              WHERE NOT EXISTS (SELECT FROM pg_roles
                                 WHERE rolname = needed AND pg_has_role(current_user, oid, 'SET'))) AS missing_roles
"""


def check_database(url: str) -> str:
    """Return what the server is, for people. Raises StackError when it is too old, or the role may do too little."""
    return asyncio.run(examine(url))


def check_cache(url: str) -> str:
    """Return what the server is, for people. Raises StackError when it does not answer."""
    try:
        with redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as client:
            about = client.info("server")
    except (redis.RedisError, ValueError) as refused:
        raise StackError(
            f"REDIS_URL is set, but its server cannot be used: {_reason(refused)}. "
            "Start it, correct REDIS_URL, or unset it to run the embedded one."
        ) from None
    version = about.get("valkey_version") or about.get("redis_version") if isinstance(about, dict) else None
    return f"from REDIS_URL, version {version or 'unknown'}"


async def examine(url: str) -> str:
    """Do what check_database does, inside a running event loop."""
    try:
        connection = await asyncpg.connect(url, timeout=_TIMEOUT_S)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as refused:
        raise StackError(
            f"DATABASE_URL is set, but its server cannot be used: {_reason(refused)}. "
            "Start it, correct DATABASE_URL, or unset it to run the embedded one."
        ) from None
    try:
        major = connection.get_server_version().major
        if major < OLDEST:
            raise StackError(f"DATABASE_URL leads to PostgreSQL {major}; {OLDEST} or newer is needed.")
        [found] = await connection.fetch(_PRIVILEGES, [f"factoryai_{row.name}" for row in SIX])
    finally:
        await connection.close()
    _judge(found)
    return f"from DATABASE_URL, PostgreSQL {major}, database {found['database']}"


def _reason(refused: Exception) -> str:
    """Say why, without the parts of a URL that a parser quotes: one of them is the password."""
    if isinstance(refused, ValueError) and not isinstance(refused, asyncpg.PostgresError):
        return "it is no valid URL"
    return str(refused) or type(refused).__name__


def _judge(found: Mapping[str, Any]) -> None:
    """Raise StackError with the very statements that would mend what is missing."""
    role, database = found["role"], found["database"]
    if found["standby"]:
        raise StackError(f"DATABASE_URL leads to a read-only standby of {database}. Name the primary.")
    lacks = []
    if not found["may_create_schemas"]:
        lacks.append(f'create schemas (GRANT CREATE ON DATABASE "{database}" TO "{role}")')
    if found["missing_roles"] and not found["may_create_roles"]:
        lacks.append(
            f'create the roles {", ".join(found["missing_roles"])} (ALTER ROLE "{role}" CREATEROLE, '
            f'or create them and GRANT each TO "{role}" WITH SET TRUE)'
        )
    if lacks:
        raise StackError(f'The role "{role}" of DATABASE_URL may not {" and not ".join(lacks)}.')
