"""The contract of the data service: catalogues, imports, pages, tenants, and what wrong requests get."""

from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from factoryai.data.v1 import data_import_pb2, metric_pb2
from factoryai.data.v1 import data_service_pb2 as pb
from factoryai.type.v1 import time_window_pb2

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.errors import AlreadyExists, FailedPrecondition, Invalid, NotFound, Reason
from tests.support.data_calls import (
    BOTTLING,
    CATEGORY,
    END,
    LINE,
    LOT,
    OPERATOR,
    PRODUCT,
    REASON,
    SHIFT,
    TENANT,
    YEAR,
    Y,
    announce,
    ask,
    files,
    rows,
    seoul,
    stamp,
    take,
    upload,
    window,
)
from tests.support.server import calling

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.data.v1.data_service_pb2_grpc import DataServiceAsyncStub


async def test_two_windows_are_one_round_trip_with_freshness_and_sources(loaded: "DataServiceAsyncStub") -> None:
    before = ("2026-03-02T00:00", "2026-03-03T00:00")
    with calling(TENANT):
        result = (await loaded.Query(ask("sample", "defect_rate", Y, before, as_of=END))).result
    assert [column.id for column in result.table.columns] == ["window", "defect_rate"]
    assert list(result.table.columns[0].numbers) == [0, 1]
    assert (result.table.columns[1].unit, result.table.columns[1].label.ko) == ("1", "불량률")
    assert result.freshness.latest_data_time.ToDatetime(UTC) == seoul("2026-03-04T00:00")
    assert not result.freshness.stale
    assert result.freshness.as_of.ToDatetime(UTC) == END
    assert (result.sources[0].metric.id, result.sources[0].row_count) == ("defect_rate", 2 * 24 * 10)
    assert result.sources[0].metric.formula == "sum(defect_qty) / sum(total_qty)"


async def test_a_zero_denominator_is_a_null_row_and_not_a_zero(loaded: "DataServiceAsyncStub") -> None:
    rest = ("2026-03-01T12:00", "2026-03-01T13:00")  # a Sunday, on which E007 rests
    with calling(TENANT):
        table = (
            await loaded.Query(ask("sample", "defect_rate production_qty", rest, targets="equipment:E007"))
        ).result.table
    assert (list(table.columns[0].null_rows), list(table.columns[0].numbers)) == ([0], [0.0])
    assert (list(table.columns[1].null_rows), list(table.columns[1].numbers)) == ([], [0.0])


async def test_the_catalogue_of_each_plant(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        sample, bottling, steel = [
            (await loaded.GetCatalog(pb.GetCatalogRequest(plant=f"plants/{plant}"))).catalog
            for plant in ("sample", "bottling", "steel")
        ]
    assert {metric.id for metric in steel.metrics} == {"energy", "co2", "power_factor"}
    assert {metric.id for metric in bottling.metrics} == {
        "availability",
        "downtime",
        "stop_count",
        "mtbf",
        "mttr",
        "batch_count",
        "batch_duration",
    }
    assert "defect_rate" in bottling.unavailable_metrics
    energy = next(metric for metric in steel.metrics if metric.id == "energy")
    assert energy.finest_grain == time_window_pb2.TIME_GRAIN_QUARTER_HOUR
    assert energy.coverage == window(seoul("2018-01-01T00:00"), seoul("2019-01-01T00:00"))
    assert list(energy.dimensions) == [CATEGORY]
    downtime = next(metric for metric in bottling.metrics if metric.id == "downtime")
    assert set(downtime.dimensions) == {LINE, PRODUCT, LOT, OPERATOR, REASON}
    assert downtime.direction == metric_pb2.DIRECTION_LOWER_IS_BETTER
    names = {entry.target.name: entry for entry in sample.targets}
    assert "LINE_C" in names["line:L03"].aliases
    assert names["equipment:E007"].parent == "line:L03"
    assert names["shift:night"].target.display_name.ko == "야간"
    assert sample.plant.synthetic
    assert "CC BY 4.0" in steel.plant.attribution
    assert next(metric for metric in sample.metrics if metric.id == "defect_rate").target_value == 0.03
    assert not next(metric for metric in sample.metrics if metric.id == "defect_qty").HasField("target_value")


async def test_an_unchanged_catalogue_is_not_sent_again(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        version = (await loaded.GetCatalog(pb.GetCatalogRequest(plant="plants/steel"))).catalog.version
        again = await loaded.GetCatalog(pb.GetCatalogRequest(plant="plants/steel", known_version=version))
    assert again.unchanged
    assert not again.HasField("catalog")


async def test_the_same_files_again_change_nothing(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        before = (await loaded.GetCatalog(pb.GetCatalogRequest(plant="plants/bottling"))).catalog.version
        again = await take(loaded, "bottling-line-2024")
        after = (await loaded.GetCatalog(pb.GetCatalogRequest(plant="plants/bottling"))).catalog.version
    assert (again.inserted_count, again.updated_count, again.unchanged_count) == (0, 0, 81)
    assert (again.read_count, again.skipped_count, again.rejected_count) == (70, 1, 7)
    assert before == after


async def test_a_corrected_value_replaces_the_old_one(loaded: "DataServiceAsyncStub") -> None:
    _, contents = files("bottling-line-2024")
    corrected = contents["line-downtime.csv"].replace(b"422111||60.0|", b"422111||61.0|")
    question = ask("bottling", "downtime", BOTTLING, targets="lot:422111")
    with calling(TENANT):
        changed = await take(loaded, "bottling-line-2024", line_downtime_csv=corrected)
        assert (changed.inserted_count, changed.updated_count) == (0, 2)  # the stop, and the batch that it belongs to
        assert rows(await loaded.Query(question)) == [(76.0,)]
        await take(loaded, "bottling-line-2024")
        assert rows(await loaded.Query(question)) == [(75.0,)]


async def test_the_report_of_an_import_can_be_read_again(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        newest = (await loaded.ListImports(pb.ListImportsRequest(page_size=1))).data_imports[0]
        report = (await loaded.GetImport(pb.GetImportRequest(name=newest.name))).data_import
    assert (newest.mapping, len(newest.rejected_rows)) == ("", 0)
    assert report.state == data_import_pb2.IMPORT_STATE_SUCCEEDED
    assert report.plant == "plants/bottling"
    assert report.mapping.startswith('# "Manufacturing Downtime"')
    first = report.rejected_rows[0]
    assert (first.file, first.line, first.column) == ("line-downtime.csv", 29, "Batch")
    assert first.reason == "'422137' stands in no row of line-productivity.csv"


async def test_plants_come_in_pages_whose_tokens_are_opaque(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        found: list[str] = []
        token = ""
        while True:
            page = await loaded.ListPlants(pb.ListPlantsRequest(page_size=2, page_token=token))
            found += [plant.name for plant in page.plants]
            token = page.next_page_token
            if not token:
                break
        assert found == ["plants/bottling", "plants/sample", "plants/steel"]
        first = await loaded.ListPlants(pb.ListPlantsRequest(page_size=2))
        with pytest.raises(Invalid) as refused:
            await loaded.ListImports(pb.ListImportsRequest(page_token=first.next_page_token))
        assert refused.value.reason is Reason.INVALID_PAGE_TOKEN


async def test_the_sample_plant_is_there_once(loaded: "DataServiceAsyncStub") -> None:
    with calling(TENANT):
        again = await loaded.LoadSamplePlant(pb.LoadSamplePlantRequest(end_time=stamp(END)))
    assert (again.inserted_count, again.plant.name) == (0, "plants/sample")


async def test_another_tenant_has_no_plants(data: "DataServiceAsyncStub") -> None:
    with calling(f"{TENANT}-other"):
        assert not (await data.ListPlants(pb.ListPlantsRequest())).plants
        with pytest.raises(NotFound) as missing:
            await data.Query(ask("steel", "energy", YEAR))
    assert (missing.value.reason, missing.value.metadata["plant"]) == (Reason.UNKNOWN_PLANT, "steel")


async def test_a_question_that_the_contract_refuses(loaded: "DataServiceAsyncStub") -> None:
    broken = [
        ask("sample", "", Y),
        ask("sample", "defect_rate"),
        ask("sample", "Robert'); DROP TABLE plant;--", Y),
        ask("sample", "defect_rate", (Y[1], Y[0])),
        ask("sample", "defect_rate", Y, targets="line:L03;DROP"),
        ask("sample", "defect_rate", Y, limit=10_001),
        ask("sample", "defect_rate", Y, group_by=[LINE, LOT, SHIFT]),
        ask("sample", "defect_rate", Y, group_by=[0]),
        ask("sample", "defect_rate", Y, group_by=[99]),
        ask("sample", "defect_rate", Y, grain=99),
    ]
    with calling(TENANT):
        for request in broken:
            with pytest.raises(Invalid) as refused:
                await loaded.Query(request)
            assert refused.value.violations, request


@pytest.mark.parametrize(
    ("request_", "error", "reason"),
    [
        (ask("sample", "colour", Y), Invalid, Reason.UNKNOWN_METRIC),
        (ask("sample", "defect_rate", Y, targets="line:L09"), Invalid, Reason.UNKNOWN_TARGET),
        (ask("steel", "defect_rate", YEAR), FailedPrecondition, Reason.DATA_NOT_AVAILABLE),
        (ask("steel", "energy", YEAR, group_by=[LINE]), FailedPrecondition, Reason.DATA_NOT_AVAILABLE),
        (ask("nowhere", "energy", YEAR), NotFound, Reason.UNKNOWN_PLANT),
    ],
)
async def test_a_question_that_the_plant_cannot_answer(
    loaded: "DataServiceAsyncStub", request_: pb.QueryRequest, error: type[Exception], reason: Reason
) -> None:
    with calling(TENANT), pytest.raises(error) as refused:
        await loaded.Query(request_)
    assert isinstance(refused.value, Invalid | FailedPrecondition | NotFound)
    assert refused.value.reason is reason


async def test_an_import_is_created_once_for_a_request_id(data: "DataServiceAsyncStub") -> None:
    text, contents = files("bottling-line-2024")
    request_id = new_id(SystemClock())
    with calling(TENANT):
        first = await data.CreateImport(announce(text, contents, request_id))
        again = await data.CreateImport(announce(text, contents, request_id))
        assert (first.created, again.created) == (True, False)
        assert first.data_import == again.data_import
        with pytest.raises(AlreadyExists) as reused:
            await data.CreateImport(announce(text + "\n", contents, request_id))
    assert reused.value.reason is Reason.REQUEST_ID_REUSED


async def test_an_import_that_cannot_be_says_where_it_is_wrong(data: "DataServiceAsyncStub") -> None:
    text, contents = files("bottling-line-2024")
    with calling(TENANT):
        with pytest.raises(Invalid) as refused:
            await data.CreateImport(announce(text.replace("Asia/Seoul", "Mars/Base"), contents))
        assert refused.value.reason is Reason.IMPORT_REJECTED
        assert refused.value.violations[0].field == "data_import.mapping.plant.time_zone"
        broken = {**contents, "line-productivity.csv": b"\xff\xfe"}
        created = await data.CreateImport(announce(text, broken))
        name = created.data_import.name
        with pytest.raises(FailedPrecondition) as early:
            await data.CommitImport(pb.CommitImportRequest(name=name))
        assert early.value.reason is Reason.INVALID_STATE
        await upload(data, name, broken)
        with pytest.raises(Invalid) as unreadable:
            await data.CommitImport(pb.CommitImportRequest(name=name))
        assert unreadable.value.reason is Reason.IMPORT_REJECTED
        failed = (await data.GetImport(pb.GetImportRequest(name=name))).data_import
        assert failed.state == data_import_pb2.IMPORT_STATE_FAILED
        assert "line-productivity.csv has no header" in failed.failure
        with pytest.raises(NotFound) as missing:
            await data.GetImport(pb.GetImportRequest(name=f"imports/{new_id(SystemClock())}"))
    assert missing.value.reason is Reason.NOT_FOUND


async def test_committing_again_says_that_it_was_done_before(data: "DataServiceAsyncStub") -> None:
    text, contents = files("bottling-line-2024")
    with calling(f"{TENANT}-again"):
        name = (await data.CreateImport(announce(text, contents))).data_import.name
        await upload(data, name, contents)
        first = await data.CommitImport(pb.CommitImportRequest(name=name))
        again = await data.CommitImport(pb.CommitImportRequest(name=name))
    assert (first.committed, again.committed) == (True, False)
    assert first.data_import == again.data_import
