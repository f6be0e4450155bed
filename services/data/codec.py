"""Protobuf to domain and back, both ways total: no I/O, no defaults that the contract does not name."""

from datetime import UTC, datetime

from factoryai.data.v1 import analysis_pb2, data_import_pb2, data_service_pb2, metric_pb2, plant_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.data.domain.answer import Answer, Column, ColumnType
from services.data.domain.calendar import Grain
from services.data.domain.catalogue import Catalogue, CatalogueMetric
from services.data.domain.imports import DataImport, ImportFile, ImportState
from services.data.domain.metrics import Aggregation, Direction
from services.data.domain.plant import Dimension, Plant, Shift, TargetEntry, Text, Window
from services.data.domain.query import OrderBy, Query
from services.errors import FieldViolation, Invalid
from services.paging import DEFAULT_PAGE_SIZE, decode_token

PLANTS = "plants"
IMPORTS = "imports"

_DIMENSIONS = {each: target_pb2.Dimension.Value(f"DIMENSION_{each.name}") for each in Dimension}
_DIMENSION_OF = {number: each for each, number in _DIMENSIONS.items()}
_GRAINS = {each: time_window_pb2.TimeGrain.Value(f"TIME_GRAIN_{each.name}") for each in Grain}
_GRAIN_OF = {number: each for each, number in _GRAINS.items()}
_DIRECTIONS = {
    Direction.NONE: metric_pb2.DIRECTION_UNSPECIFIED,
    Direction.HIGHER: metric_pb2.DIRECTION_HIGHER_IS_BETTER,
    Direction.LOWER: metric_pb2.DIRECTION_LOWER_IS_BETTER,
}
_AGGREGATIONS = {each: metric_pb2.Aggregation.Value(f"AGGREGATION_{each.name}") for each in Aggregation}
_STATES = {each: data_import_pb2.ImportState.Value(f"IMPORT_STATE_{each.name}") for each in ImportState}
_COLUMN_TYPES = {each: value_pb2.ColumnType.Value(f"COLUMN_TYPE_{each.name}") for each in ColumnType}


def decode_plant_name(name: str) -> str:
    """`plants/sample` -> `sample`."""
    return name.removeprefix("plants/")


def decode_import_name(name: str) -> str:
    """`imports/{id}` -> `{id}`."""
    return name.removeprefix("imports/")


def decode_page(collection: str, size: int, token: str) -> tuple[int, str]:
    """Return how many and after which. Raises Invalid (INVALID_PAGE_TOKEN)."""
    return size or DEFAULT_PAGE_SIZE, decode_token(collection, token)


def decode_time(time: Timestamp) -> datetime:
    """Return an instant, aware, in UTC."""
    return time.ToDatetime(tzinfo=UTC)


def _time(time: datetime) -> Timestamp:
    encoded = Timestamp()
    encoded.FromDatetime(time)
    return encoded


def _text(text: Text) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=text.ko, en=text.en)


def _window(window: Window) -> time_window_pb2.TimeWindow:
    return time_window_pb2.TimeWindow(start_time=_time(window.start), end_time=_time(window.end))


def encode_plant(plant: Plant) -> plant_pb2.Plant:
    """Return a plant."""
    return plant_pb2.Plant(
        name=f"plants/{plant.id}",
        display_name=_text(plant.name),
        time_zone=plant.zone.key,
        shifts=[_shift(shift) for shift in plant.shifts],
        synthetic=plant.synthetic,
        attribution=plant.attribution,
    )


def _shift(shift: Shift) -> plant_pb2.Shift:
    return plant_pb2.Shift(
        id=shift.id,
        display_name=_text(shift.name),
        start=f"{shift.start:%H:%M}",
        end=f"{shift.end:%H:%M}",
        aliases=shift.aliases,
    )


def encode_catalogue(catalogue: Catalogue, known_version: str) -> data_service_pb2.GetCatalogResponse:
    """Return a catalogue, or that the caller's is the newest."""
    if known_version == catalogue.version:
        return data_service_pb2.GetCatalogResponse(unchanged=True)
    return data_service_pb2.GetCatalogResponse(
        catalog=plant_pb2.Catalog(
            plant=encode_plant(catalogue.plant),
            version=catalogue.version,
            metrics=[_metric(each) for each in catalogue.metrics.values()],
            targets=[_target_entry(each) for each in catalogue.targets.values()],
            unavailable_metrics=catalogue.unavailable,
            coverage=_window(catalogue.coverage) if catalogue.coverage else None,
        )
    )


def _metric(each: CatalogueMetric) -> metric_pb2.Metric:
    metric = each.metric
    return metric_pb2.Metric(
        id=metric.id,
        display_name=_text(metric.name),
        aliases=metric.aliases,
        unit=metric.unit,
        direction=_DIRECTIONS[metric.direction],
        aggregation=_AGGREGATIONS[metric.aggregation],
        formula=metric.formula,
        dataset=each.sources[0].source.dataset.name,
        dimensions=[_DIMENSIONS[dimension] for dimension in each.dimensions],
        target_value=each.goal,
        coverage=_window(each.coverage),
        finest_grain=_GRAINS[each.finest_grain],
    )


def _target_entry(entry: TargetEntry) -> plant_pb2.TargetEntry:
    name = _text(entry.name) if entry.name else None
    return plant_pb2.TargetEntry(
        target=target_pb2.Target(name=str(entry.target), display_name=name), aliases=entry.aliases, parent=entry.parent
    )


def decode_query(request: data_service_pb2.QueryRequest, now: datetime) -> tuple[str, Query, datetime]:
    """Return the plant's id, the question, and the instant from which it is asked.

    Raises Invalid for what the contract leaves open and the domain does not know: a dimension of a newer release.
    """
    query = request.query
    group_by = []
    for i, number in enumerate(query.group_by):
        if number not in _DIMENSION_OF:
            description = "is no dimension"
            violation = FieldViolation(f"query.group_by[{i}]", description, "enum.defined_only")
            raise Invalid(f"group_by[{i}] {description}", violations=(violation,))
        group_by.append(_DIMENSION_OF[number])
    asked = Query(
        metrics=tuple(query.metrics),
        windows=tuple(Window(decode_time(each.start_time), decode_time(each.end_time)) for each in query.windows),
        targets=tuple(target.name for target in query.targets),
        group_by=tuple(group_by),
        grain=_GRAIN_OF.get(query.grain),
        order_by=OrderBy(query.order_by.column, query.order_by.descending) if query.HasField("order_by") else None,
        limit=query.limit,
        include_future=query.include_future,
    )
    return decode_plant_name(request.plant), asked, decode_time(request.as_of) if request.HasField("as_of") else now


def encode_answer(answer: Answer) -> analysis_pb2.QueryResult:
    """Return figures with their sources."""
    return analysis_pb2.QueryResult(
        table=value_pb2.Table(
            columns=[_column(column) for column in answer.columns],
            row_count=answer.row_count,
            truncated=answer.truncated,
        ),
        freshness=value_pb2.Freshness(
            latest_data_time=_time(answer.latest) if answer.latest else None,
            stale=answer.stale,
            as_of=_time(answer.as_of),
        ),
        sources=[
            analysis_pb2.MetricSource(metric=_metric(metric), row_count=count)
            for metric, count in zip(answer.metrics, answer.row_counts, strict=True)
        ],
    )


def _column(column: Column) -> value_pb2.Column:
    encoded = value_pb2.Column(
        id=column.id, label=_text(column.label), type=_COLUMN_TYPES[column.type], unit=column.unit
    )
    encoded.null_rows.extend(i for i, cell in enumerate(column.cells) if cell is None)
    match column.type:
        case ColumnType.NUMBER:
            encoded.numbers.extend(cell if isinstance(cell, float) else 0.0 for cell in column.cells)
        case ColumnType.TEXT:
            encoded.texts.extend(cell if isinstance(cell, str) else "" for cell in column.cells)
        case ColumnType.TIME:
            encoded.times.extend(_time(cell) for cell in column.cells if isinstance(cell, datetime))
    return encoded


def decode_import(data_import: data_import_pb2.DataImport) -> tuple[str, tuple[ImportFile, ...]]:
    """Return the mapping and the announced files; what is output only is not read."""
    files = tuple(ImportFile(each.name, each.size, each.sha256) for each in data_import.files)
    return data_import.mapping, files


def encode_import(data_import: DataImport) -> data_import_pb2.DataImport:
    """Return an import with its report."""
    report, counts = data_import.report, data_import.counts
    return data_import_pb2.DataImport(
        name=f"imports/{data_import.id}",
        mapping=data_import.mapping,
        files=[
            data_import_pb2.ImportFile(name=each.name, size=each.size, sha256=each.sha256) for each in data_import.files
        ],
        plant=f"plants/{data_import.plant}",
        state=_STATES[data_import.state],
        read_count=report.read,
        inserted_count=counts.inserted,
        unchanged_count=counts.unchanged,
        updated_count=counts.updated,
        rejected_count=report.rejected,
        rejected_rows=[
            data_import_pb2.RejectedRow(file=each.file, line=each.line, column=each.column, reason=each.reason)
            for each in report.rejected_rows
        ],
        skipped_count=report.skipped,
        create_time=_time(data_import.created_at),
        end_time=_time(data_import.ended_at) if data_import.ended_at else None,
        failure=data_import.failure,
    )
