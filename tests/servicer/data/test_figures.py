"""Figures that the service gives, held against SQL that a person wrote on the same tables."""
# ruff: noqa: S608 - two fixed conditions are put into the text

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from factoryai.data.v1 import analysis_pb2

from tests.support.data_calls import (
    BOTTLING,
    CATEGORY,
    DAILY,
    DATA,
    EQUIPMENT,
    HOUR,
    LINE,
    LOT,
    MONTH,
    OPERATOR,
    PRODUCT,
    REASON,
    TENANT,
    WEEK,
    YEAR,
    W,
    Y,
    ask,
    rows,
)
from tests.support.server import calling

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.data.v1.data_service_pb2_grpc import DataServiceAsyncStub


@pytest.fixture
async def sql(postgres_url: str) -> AsyncIterator[Any]:
    """Rows of a statement, as the tenant of these tests."""
    connection = await asyncpg.connect(postgres_url, server_settings={"search_path": "data", "timezone": "Asia/Seoul"})
    await connection.execute("SELECT set_config('app.tenant', $1, false)", TENANT)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        yield connection.fetch


OF_Y = "started_at >= '2026-03-03' AND started_at < '2026-03-04' AND plant = 'sample'"
OF_W = "started_at >= '2026-02-23' AND started_at < '2026-03-02' AND plant = 'sample'"
COMPARED = {
    "defect rate of a line on a day": (
        ask("sample", "defect_rate production_qty", Y, targets="line:L03"),
        f"SELECT sum(defect_qty) / sum(total_qty), sum(total_qty) FROM production WHERE line = 'L03' AND {OF_Y}",
    ),
    "oee by line": (
        ask("sample", "oee availability performance quality", W, group_by=[LINE]),
        f"""
        SELECT line, a * p * q, a, p, q FROM (
            SELECT line, sum(runtime_min) / (sum(runtime_min) + sum(downtime_min)) AS a,
                   sum(total_qty * ideal_cycle_s) / 60 / sum(runtime_min) AS p, sum(good_qty) / sum(total_qty) AS q
            FROM production WHERE {OF_W} GROUP BY line) AS factors ORDER BY line""",
    ),
    "production by day": (
        ask("sample", "production_qty", W, grain=DAILY),
        f"SELECT date_trunc('day', started_at) AS d, sum(total_qty) FROM production WHERE {OF_W} GROUP BY d ORDER BY d",
    ),
    "vibration by hour": (
        ask("sample", "vibration", Y, targets="equipment:E007", grain=HOUR),
        f"""
        SELECT date_trunc('hour', started_at) AS h, avg(value) FROM reading
        WHERE tag = 'vibration' AND equipment = 'E007' AND {OF_Y} GROUP BY h ORDER BY h""",
    ),
    "the night shift of a day, on both sides of midnight": (
        ask("sample", "defect_qty stop_count", Y, targets="line:L02 shift:night"),
        """
        SELECT (SELECT sum(defect_qty) FROM production WHERE line = 'L02' AND plant = 'sample' AND started_at >= t.s
                AND started_at < t.e),
               (SELECT count(*) FROM downtime WHERE line = 'L02' AND plant = 'sample' AND started_at >= t.s
                AND started_at < t.e)
        FROM (SELECT '2026-03-03 22:00'::timestamptz AS s, '2026-03-04 06:00'::timestamptz AS e) AS t""",
    ),
    "worst lots": (
        ask(
            "sample",
            "defect_rate",
            ("2026-01-20T00:00", "2026-03-01T00:00"),
            group_by=[LOT],
            order_by=analysis_pb2.OrderBy(column="defect_rate", descending=True),
            limit=5,
        ),
        """
        SELECT lot, sum(defect_qty) / sum(total_qty) AS r FROM production
        WHERE plant = 'sample' AND started_at >= '2026-01-20' AND started_at < '2026-03-01' AND total_qty > 0
        GROUP BY lot ORDER BY r DESC, lot LIMIT 5""",
    ),
    "mean time between and to repair": (
        ask("sample", "mtbf mttr", W),
        f"""
        SELECT (SELECT sum(runtime_min) / 60 / sum(stop_count) FROM production WHERE {OF_W}),
               (SELECT avg(minutes) FROM downtime WHERE {OF_W})""",
    ),
    "stock and how long it lasts": (
        ask("sample", "inventory coverage_days", W, group_by=[PRODUCT]),
        f"""
        SELECT DISTINCT ON (product) product, stock_qty, stock_qty / daily_use_qty FROM inventory
        WHERE {OF_W} ORDER BY product, started_at DESC""",
    ),
    "energy of a machine in a week": (
        ask("sample", "energy", W, targets="equipment:E002 equipment:E003", group_by=[EQUIPMENT]),
        f"""
        SELECT equipment, sum(energy_kwh) FROM energy WHERE equipment IN ('E002', 'E003') AND {OF_W}
        GROUP BY equipment ORDER BY equipment""",
    ),
    "bottling downtime by reason": (
        ask(
            "bottling",
            "downtime stop_count mttr",
            BOTTLING,
            group_by=[REASON],
            order_by=analysis_pb2.OrderBy(column="downtime", descending=True),
        ),
        """
        SELECT reason, sum(minutes) AS m, count(*), avg(minutes) FROM downtime WHERE plant = 'bottling'
        GROUP BY reason ORDER BY m DESC, reason""",
    ),
    "bottling batches by operator": (
        ask("bottling", "batch_count batch_duration availability", BOTTLING, group_by=[OPERATOR]),
        """
        SELECT operator, count(*), avg(extract(epoch FROM ended_at - started_at) / 60)::float8,
               1 - sum(downtime_min) / sum(extract(epoch FROM ended_at - started_at) / 60)::float8
        FROM production WHERE plant = 'bottling' GROUP BY operator ORDER BY operator""",
    ),
    "bottling batches by product and day": (
        ask("bottling", "batch_count", BOTTLING, group_by=[PRODUCT], grain=DAILY),
        """
        SELECT date_trunc('day', started_at) AS d, product, count(DISTINCT lot) FROM production
        WHERE plant = 'bottling' GROUP BY d, product ORDER BY d, product COLLATE "C" """,
    ),
    "steel energy by month": (
        ask("steel", "energy co2 power_factor", YEAR, grain=MONTH),
        """
        SELECT date_trunc('month', started_at) AS m, sum(energy_kwh), sum(co2_t), avg(power_factor) FROM energy
        WHERE plant = 'steel' GROUP BY m ORDER BY m""",
    ),
    "steel energy by load": (
        ask("steel", "energy", YEAR, group_by=[CATEGORY]),
        "SELECT category, sum(energy_kwh) FROM energy WHERE plant = 'steel' GROUP BY category ORDER BY category",
    ),
    "steel weeks begin on Monday": (
        ask("steel", "energy", YEAR, grain=WEEK),
        """
        SELECT date_trunc('week', started_at) AS w, sum(energy_kwh) FROM energy WHERE plant = 'steel'
        GROUP BY w ORDER BY w""",
    ),
}


@pytest.mark.parametrize("name", COMPARED)
async def test_figures_are_those_of_sql(loaded: "DataServiceAsyncStub", sql: Any, name: str) -> None:
    request, statement = COMPARED[name]
    with calling(TENANT):
        found = rows(await loaded.Query(request))
    wanted = [tuple(each) for each in await sql(statement)]
    assert found
    assert [[each for each in row if not isinstance(each, float)] for row in found] == [
        [
            each.astimezone(UTC) if isinstance(each, datetime) else each
            for each in row
            if not isinstance(each, float | int)
        ]
        for row in wanted
    ]
    assert [[each for each in row if isinstance(each, float)] for row in found] == [
        pytest.approx([each for each in row if isinstance(each, float | int)], rel=1e-9) for row in wanted
    ]


async def test_figures_that_the_published_files_are_known_by(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        whole = rows(await loaded.Query(ask("steel", "energy", YEAR)))
        first = rows(await loaded.Query(ask("steel", "energy", ("2018-01-01T00:00", "2018-01-01T01:00"))))
        last = rows(await loaded.Query(ask("steel", "energy", ("2018-12-31T23:45", "2019-01-01T00:00"))))
    lines = (DATA / "steel-gwangyang-2018" / "steel_industry_energy.csv").read_text(encoding="utf-8-sig").splitlines()
    usage = [float(line.split(",")[1]) for line in lines[1:]]
    assert whole == [(pytest.approx(sum(usage)),)]
    assert first == [(pytest.approx(3.17 + 4 + 3.24 + 3.31),)]
    # The row printed `31/12/2018 0:00` is the last quarter hour of the year.
    assert last == [(usage[-1],)]
