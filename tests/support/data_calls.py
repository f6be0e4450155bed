"""Speaking to the data service in tests: questions, imports of the published files, tables as tuples."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from factoryai.data.v1 import analysis_pb2, data_import_pb2
from factoryai.data.v1 import data_service_pb2 as pb
from factoryai.type.v1 import target_pb2, time_window_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.data.domain import mapping

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.data.v1.data_service_pb2_grpc import DataServiceAsyncStub

DATA = Path(__file__).parents[2] / "services" / "data" / "datasets"
END = datetime(2026, 3, 4, 6, tzinfo=UTC)  # the sample plant's: a Wednesday, 15:00 in Seoul
# All three plants are loaded into one tenant, once a session.
TENANT = f"t-{new_id(SystemClock())}"
PIECE = 524_288


def files(folder: str) -> tuple[str, dict[str, bytes]]:
    text = (DATA / folder / "mapping.yaml").read_text(encoding="utf-8")
    return text, {file.name: (DATA / folder / file.name).read_bytes() for file in mapping.read(text).files}


def announce(text: str, contents: dict[str, bytes], request_id: str = "") -> pb.CreateImportRequest:
    announced = [
        data_import_pb2.ImportFile(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    ]
    return pb.CreateImportRequest(
        data_import=data_import_pb2.DataImport(mapping=text, files=announced), request_id=request_id
    )


async def upload(stub: "DataServiceAsyncStub", name: str, contents: dict[str, bytes]) -> None:
    for file, content in contents.items():
        for offset in range(0, len(content), PIECE):
            piece = content[offset : offset + PIECE]
            request = pb.UploadImportChunkRequest(name=name, file=file, offset=offset, content=piece)
            received = await stub.UploadImportChunk(request)
            assert received.received_size == offset + len(piece)


async def take(stub: "DataServiceAsyncStub", folder: str, **changed: bytes) -> data_import_pb2.DataImport:
    text, contents = files(folder)
    contents |= {name.replace("_csv", ".csv").replace("_", "-"): content for name, content in changed.items()}
    created = await stub.CreateImport(announce(text, contents))
    await upload(stub, created.data_import.name, contents)
    ended = await stub.CommitImport(pb.CommitImportRequest(name=created.data_import.name))
    assert ended.committed
    return ended.data_import


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+09:00")


def stamp(moment: datetime) -> Timestamp:
    encoded = Timestamp()
    encoded.FromDatetime(moment)
    return encoded


def window(start: datetime, end: datetime) -> time_window_pb2.TimeWindow:
    return time_window_pb2.TimeWindow(start_time=stamp(start), end_time=stamp(end))


def ask(
    plant: str,
    metrics: str,
    *windows: tuple[str, str],
    targets: str = "",
    as_of: datetime | None = None,
    **more: Any,
) -> pb.QueryRequest:
    query = analysis_pb2.Query(
        metrics=metrics.split(),
        windows=[window(seoul(start), seoul(end)) for start, end in windows],
        targets=[target_pb2.Target(name=name) for name in targets.split()],
        **more,
    )
    return pb.QueryRequest(plant=f"plants/{plant}", query=query, as_of=stamp(as_of) if as_of else None)


def rows(response: pb.QueryResponse) -> list[tuple[object, ...]]:
    """Return a table as tuples, None where there is no value."""
    columns: list[list[object]] = []
    for column in response.result.table.columns:
        values: list[object] = list(column.numbers or column.texts or [time.ToDatetime(UTC) for time in column.times])
        assert len(values) == response.result.table.row_count
        columns.append([None if i in column.null_rows else value for i, value in enumerate(values)])
    return list(zip(*columns, strict=True))


LINE, EQUIPMENT, PRODUCT, LOT, OPERATOR, SHIFT, REASON, CATEGORY = (
    target_pb2.DIMENSION_LINE,
    target_pb2.DIMENSION_EQUIPMENT,
    target_pb2.DIMENSION_PRODUCT,
    target_pb2.DIMENSION_LOT,
    target_pb2.DIMENSION_OPERATOR,
    target_pb2.DIMENSION_SHIFT,
    target_pb2.DIMENSION_REASON,
    target_pb2.DIMENSION_CATEGORY,
)
HOUR, DAILY, WEEK, MONTH = (
    time_window_pb2.TIME_GRAIN_HOUR,
    time_window_pb2.TIME_GRAIN_DAY,
    time_window_pb2.TIME_GRAIN_WEEK,
    time_window_pb2.TIME_GRAIN_MONTH,
)

Y, W = ("2026-03-03T00:00", "2026-03-04T00:00"), ("2026-02-23T00:00", "2026-03-02T00:00")
BOTTLING = ("2024-08-29T00:00", "2024-09-05T00:00")
YEAR = ("2018-01-01T00:00", "2019-01-01T00:00")
