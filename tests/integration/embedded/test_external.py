"""DATABASE_URL and REDIS_URL: servers that are there already are used, checked first, and left alone."""

import re
from pathlib import Path

import asyncpg
import pytest

from services.embedded import external
from services.embedded.failure import StackError
from tests.support.stack import running_stack


async def test_both_are_used_and_nothing_is_started_or_made(
    postgres_url: str, valkey_url: str, short_folder: Path
) -> None:
    place = short_folder / "outside"
    with running_stack(
        place, DATABASE_URL=postgres_url, REDIS_URL=valkey_url, FACTORYAI_SAMPLE_PLANT="false"
    ) as running:
        states = {(step.part, step.state) for step in running.progress}
        assert ("postgres", "external") in states
        assert ("valkey", "external") in states
        async with running.client() as client:
            assert (await client.get("/ready")).status_code == 200
    assert not list((place / "postgres").iterdir())
    assert not list((place / "valkey").iterdir())
    secrets = [re.findall(r":([^:@]+)@", postgres_url)[0], valkey_url.rpartition("=")[2]]
    kept = "".join(file.read_text(errors="replace") for file in place.rglob("*") if file.is_file())
    assert not any(secret in kept for secret in secrets)
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


def test_a_server_that_will_do_is_described(postgres_url: str, valkey_url: str) -> None:
    assert external.check_database(postgres_url) == "from DATABASE_URL, PostgreSQL 18, database factoryai"
    assert external.check_cache(valkey_url).startswith("from REDIS_URL, version 9.")


async def test_a_role_that_may_too_little_is_told_what_it_lacks(postgres_url: str) -> None:
    owner = await asyncpg.connect(postgres_url)
    await owner.execute("CREATE ROLE weak LOGIN PASSWORD 'feeble'; REVOKE CREATE ON DATABASE factoryai FROM weak")
    await owner.close()
    weak = re.sub(r"//[^@]+@", "//weak:feeble@", postgres_url)
    with pytest.raises(StackError) as refused:
        await external.examine(weak)
    assert 'GRANT CREATE ON DATABASE "factoryai" TO "weak"' in refused.value.message
    assert 'ALTER ROLE "weak" CREATEROLE' in refused.value.message
    assert "feeble" not in refused.value.message


def test_a_server_that_is_too_old_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "OLDEST", 99)  # no older server than 16 is at hand
    with pytest.raises(StackError, match="leads to PostgreSQL 18; 99 or newer is needed"):
        external.check_database(postgres_url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://me:secret@127.0.0.1:1/x", "Connect call failed"),
        ("postgresql://me:secret@127.0.0.1:sec/ret", "no valid URL"),
    ],
)
def test_a_database_out_of_reach_is_told_without_its_password(url: str, says: str) -> None:
    with pytest.raises(StackError, match="DATABASE_URL is set") as refused:
        external.check_database(url)
    assert says in refused.value.message
    assert "secret" not in refused.value.message
    assert "sec/ret" not in refused.value.message


def test_a_wrong_password_is_told(postgres_url: str) -> None:
    wrong = re.sub(r"//[^@]+@", "//factoryai:wrong@", postgres_url)
    with pytest.raises(StackError, match="password authentication failed"):
        external.check_database(wrong)


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "redis://:secret@127.0.0.1:por/0", "nonsense"])
def test_a_cache_out_of_reach_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StackError, match="REDIS_URL is set") as refused:
        external.check_cache(url)
    assert "secret" not in refused.value.message
