"""The parts that other tests stand on."""

import asyncpg
from redis.asyncio import Redis


async def test_postgres_is_18_and_the_role_is_no_superuser(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        assert connection.get_server_version().major == 18
        row = await connection.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolbypassrls, current_setting('server_encoding') AS encoding,"
            " current_setting('TimeZone') AS zone FROM pg_roles WHERE rolname = current_user"
        )
        assert dict(row) == {
            "rolsuper": False,
            "rolcreaterole": True,
            "rolbypassrls": False,
            "encoding": "UTF8",
            "zone": "UTC",
        }
    finally:
        await connection.close()


async def test_a_role_of_a_service_can_be_made_and_taken_on(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute("CREATE ROLE factoryai_probe NOLOGIN")
        await connection.execute("GRANT factoryai_probe TO CURRENT_USER WITH SET TRUE")
        await connection.execute("SET ROLE factoryai_probe")
        assert await connection.fetchval("SELECT current_user") == "factoryai_probe"
        await connection.execute("RESET ROLE; DROP ROLE factoryai_probe")
    finally:
        await connection.close()


async def test_valkey_keeps_a_value(valkey_url: str) -> None:
    async with Redis.from_url(valkey_url) as client:
        await client.set("k", "값", ex=60)
        assert await client.get("k") == "값".encode()
