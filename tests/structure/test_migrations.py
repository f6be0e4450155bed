"""No table without a tenant: row level security is enabled and forced on each, from the first migration.

Asked of a real PostgreSQL after the migrations have run, because migrations may say it in any way they like.
"""

from pathlib import Path

import asyncpg
import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = sorted({path.parent for path in (ROOT / "services").glob("**/migrations/*.sql")})

TABLES = """
SELECT c.relname AS name,
       c.relrowsecurity AS enabled,
       c.relforcerowsecurity AS forced,
       EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND a.attnotnull
                  AND a.atttypid = 'text'::regtype) AS has_tenant,
       ARRAY(SELECT pg_get_expr(p.polqual, p.polrelid) || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
               FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
  FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
 ORDER BY c.relname
"""
TIMES = """
SELECT table_name || '.' || column_name AS name
  FROM information_schema.columns
 WHERE table_schema = current_schema() AND data_type = 'timestamp without time zone'
"""


def scripts(folder: Path) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))]


def test_there_are_migrations_to_look_at() -> None:
    assert {folder.relative_to(ROOT).parts[1] for folder in FOLDERS} >= {"chassis", "data"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(ROOT).parts[1])
async def test_every_table_belongs_to_tenants(folder: Path, postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("CREATE SCHEMA looked_at; SET LOCAL search_path = looked_at, public")
        for migration in scripts(folder):
            await connection.execute(migration)
        tables = await connection.fetch(TABLES)
        bare_times = [row["name"] for row in await connection.fetch(TIMES)]
        await transaction.rollback()
    finally:
        await connection.close()
    assert tables
    for table in tables:
        assert table["has_tenant"], f"{table['name']} has no column `tenant text NOT NULL`"
        assert table["enabled"], f"{table['name']}: row level security is off"
        assert table["forced"], f"{table['name']}: the owner passes row level security"
        assert table["policies"], f"{table['name']} has no policy"
        for policy in table["policies"]:
            assert "app.tenant" in policy, f"{table['name']}: a policy lets other tenants in: {policy}"
    assert bare_times == [], "a time without a zone is no instant"
