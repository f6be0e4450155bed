"""Ids, clocks, languages, addresses, queries, messages."""

import io
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from services.chassis import log, migrate
from services.chassis.cache import Breaker, BreakerState, MemoryCache
from services.chassis.call import Call, Principal, call_scope, current_call
from services.chassis.channels import target_of
from services.chassis.clock import FixedClock, SystemClock
from services.chassis.health import LIVENESS, NOT_SERVING, SERVING, Health
from services.chassis.ids import new_id
from services.chassis.interceptors.request_id import language_of
from services.chassis.messages import TEXTS
from services.chassis.metrics import Metrics
from services.chassis.postgres import Queries
from services.errors import Reason

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_ids_are_uuid7_and_sort_by_birth() -> None:
    clock = FixedClock(NOW)
    ids = [new_id(clock) for _ in range(5000)]
    clock.advance(0.001)
    ids.append(new_id(clock))
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    parsed = uuid.UUID(ids[0])
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == int(NOW.timestamp() * 1000)


def test_clocks_are_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001 - on purpose


def test_a_call_is_current_inside_its_scope_only() -> None:
    call = Call("acme", "", Principal("kim", frozenset()), "r", "ko", None)
    with call_scope(call):
        assert current_call() is call
    with pytest.raises(LookupError):
        current_call()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en;q=0.4, ko-KR;q=0.6", "ko"),
        ("fr,en-GB;q=0.1", "en"),
        ("fr", ""),
        ("", ""),
        ("ko;q=zero", ""),
        (",;=,", ""),
    ],
)
def test_language_follows_the_weights(header: str, language: str) -> None:
    assert language_of(header) == language


@pytest.mark.parametrize(
    "url", ["http://rule:8050", "rule:8050", "grpc://rule:8050", "dns:///rule:8050", "http://rule:8050/"]
)
def test_addresses_become_targets(url: str) -> None:
    assert target_of(url) == "dns:///rule:8050"


def test_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="no address"):
        target_of("")


def test_every_reason_is_told_in_both_languages() -> None:
    assert set(TEXTS) == set(Reason)
    for text in TEXTS.values():
        assert text.ko.endswith((".", "요."))
        assert text.en.endswith(".")
        assert any("가" <= letter <= "힣" for letter in text.ko)


def test_queries_have_names_and_say_what_they_do() -> None:
    queries = Queries("-- name: one\n-- First.\nSELECT 1;\n\n-- name: two\n-- Second,\n-- and more.\nSELECT\n  2;\n")
    assert dict(queries) == {"one": "SELECT 1", "two": "SELECT\n  2"}
    with pytest.raises(KeyError):
        queries["three"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: one\nSELECT 1", "does not say"),
        ("-- name: one\n-- Nothing.\n", "empty"),
        ("-- name: one\n-- A.\nSELECT 1\n-- name: one\n-- B.\nSELECT 2", "two queries"),
    ],
)
def test_careless_queries_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Queries(text)


def test_migrations_are_numbered_without_gaps(tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("SELECT 1")
    (tmp_path / "0003_third.sql").write_text("SELECT 3")
    with pytest.raises(migrate.MigrationError, match="without gaps"):
        migrate.read("service", tmp_path)
    (tmp_path / "0003_third.sql").rename(tmp_path / "second.sql")
    with pytest.raises(migrate.MigrationError, match="no migration name"):
        migrate.read("service", tmp_path)


async def test_memory_cache_forgets_the_old_and_the_least_used() -> None:
    clock = FixedClock(NOW)
    cache = MemoryCache(clock, max_entries=2)
    await cache.set("a", b"1", 10)
    await cache.set("b", b"2", 10)
    assert await cache.get("a") == b"1"
    await cache.set("c", b"3", 10)
    assert await cache.get("b") is None
    clock.advance(10)
    assert await cache.get("a") is None
    await cache.delete("c")
    assert await cache.get("c") is None


def test_breaker_opens_tries_once_and_closes() -> None:
    clock, metrics = FixedClock(NOW), Metrics()
    breaker = Breaker("cache", clock, metrics)
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    clock.advance(2)
    assert breaker.allows()
    assert not breaker.allows()
    breaker.failed()
    assert not breaker.allows()
    clock.advance(2)
    assert breaker.allows()
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.allows()
    assert b'circuit_breaker_state_changes_total{breaker="cache",state="open"} 2.0' in metrics.exposition()


async def test_health_promises_nothing_before_and_nothing_after() -> None:
    async def statuses() -> set[object]:
        found = await health.List(None, None)
        return {each.status for name, each in found.statuses.items() if name != LIVENESS}

    health = Health(["a", "b"])
    assert await statuses() == {NOT_SERVING}
    health.set("a", ready=True)
    assert not health.ready()
    health.set("b", ready=True)
    assert await statuses() == {SERVING}
    health.drain()
    health.set("a", ready=True)
    health.set("b", ready=True)
    assert await statuses() == {NOT_SERVING}


def test_log_lines_are_json_with_the_call_and_without_secrets() -> None:
    before = structlog.get_config()
    out = io.StringIO()
    try:
        log.configure("INFO", process="router", stream=out)
        line = structlog.get_logger("test")
        with call_scope(Call("acme", "", Principal("kim", frozenset()), "r-1", "ko", None)):
            line.info("한글", authorization="Bearer abc", odd=Path("x"))
            line.debug("not shown")
            try:
                raise ZeroDivisionError("why")  # noqa: TRY301
            except ZeroDivisionError:
                line.exception("bug")
    finally:
        structlog.configure(**before)
    first, second = [json.loads(each) for each in out.getvalue().splitlines()]
    assert (first["event"], first["request_id"], first["tenant"], first["process"]) == ("한글", "r-1", "acme", "router")
    assert first["authorization"] == "[redacted]"
    assert "ZeroDivisionError: why" in second["exception"]
