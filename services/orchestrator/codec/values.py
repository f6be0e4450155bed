"""Shared values: texts, targets, windows, tables, evidence, freshness."""

from datetime import UTC, datetime, timedelta
from typing import Final

from factoryai.type.v1 import evidence_pb2, target_pb2, time_window_pb2, value_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.orchestrator.codec import enums
from services.orchestrator.domain.figures import Cell, Column, ColumnType, Evidence, Freshness, Table
from services.orchestrator.domain.language import NO_TEXT, Localized
from services.orchestrator.domain.meaning import Target, Window

# A decision holds some forty instants: by hand they cost a tenth of what ToDatetime and FromDatetime do.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S: Final = 86_400
_MICRO: Final = 1000  # nanoseconds


def instant(timestamp: Timestamp) -> datetime:
    """Read an instant, in UTC, to the microsecond."""
    return _EPOCH + timedelta(0, timestamp.seconds, timestamp.nanos // _MICRO)


def stamp(when: datetime) -> Timestamp:
    """Write an instant."""
    since = when - _EPOCH
    return Timestamp(seconds=since.days * _DAY_S + since.seconds, nanos=since.microseconds * _MICRO)


def text(message: target_pb2.LocalizedText) -> Localized:
    """Read a text in both languages."""
    return Localized(message.ko, message.en) if message.ko or message.en else NO_TEXT


def encode_text(localized: Localized) -> target_pb2.LocalizedText | None:
    """Write a text in both languages; none where there is none."""
    return target_pb2.LocalizedText(ko=localized.ko, en=localized.en) if localized.ko or localized.en else None


def target(message: target_pb2.Target) -> Target:
    """Read a target."""
    return Target(message.name, text(message.display_name))


def encode_target(domain: Target) -> target_pb2.Target:
    """Write a target."""
    return target_pb2.Target(name=domain.name, display_name=encode_text(domain.display))


def window(message: time_window_pb2.TimeWindow) -> Window:
    """Read a period."""
    return Window(instant(message.start_time), instant(message.end_time), message.label, message.text)


def encode_window(domain: Window) -> time_window_pb2.TimeWindow:
    """Write a period."""
    return time_window_pb2.TimeWindow(
        start_time=stamp(domain.start), end_time=stamp(domain.end), label=domain.label[:100], text=domain.text
    )


def table(message: value_pb2.Table) -> Table:
    """Read a table; null rows become None."""
    return Table(tuple(_column(column) for column in message.columns), message.truncated)


def _column(message: value_pb2.Column) -> Column:
    kind = enums.COLUMN.decode(message.type)
    cells: list[Cell]
    match kind:
        case ColumnType.TEXT:
            cells = list(message.texts)
        case ColumnType.TIME:
            cells = [instant(each) for each in message.times]
        case _:
            cells = list(message.numbers)
    for row in message.null_rows:
        cells[row] = None
    return Column(message.id, kind, tuple(cells), text(message.label), message.unit)


def encode_table(domain: Table) -> value_pb2.Table:
    """Write a table."""
    columns = [_encode_column(column) for column in domain.columns]
    return value_pb2.Table(columns=columns, row_count=domain.row_count, truncated=domain.truncated)


def _encode_column(domain: Column) -> value_pb2.Column:
    message = value_pb2.Column(
        id=domain.id, label=encode_text(domain.label), type=enums.COLUMN.encode(domain.type), unit=domain.unit
    )
    match domain.type:
        case ColumnType.TEXT:
            message.texts.extend(cell if isinstance(cell, str) else "" for cell in domain.cells)
        case ColumnType.TIME:
            message.times.extend(stamp(cell) if isinstance(cell, datetime) else Timestamp() for cell in domain.cells)
        case _:
            message.numbers.extend(cell if isinstance(cell, float) else 0.0 for cell in domain.cells)
    message.null_rows.extend(row for row, cell in enumerate(domain.cells) if cell is None)
    return message


def freshness(message: value_pb2.Freshness) -> Freshness:
    """Read how fresh data are."""
    return Freshness(
        instant(message.latest_data_time) if message.HasField("latest_data_time") else None,
        message.stale,
        instant(message.as_of) if message.HasField("as_of") else None,
    )


def encode_freshness(domain: Freshness) -> value_pb2.Freshness:
    """Write how fresh data are."""
    return value_pb2.Freshness(
        latest_data_time=stamp(domain.latest) if domain.latest else None,
        stale=domain.stale,
        as_of=stamp(domain.as_of) if domain.as_of else None,
    )


def evidence(message: evidence_pb2.Evidence) -> Evidence:
    """Read a piece of evidence."""
    return Evidence(
        id=message.id,
        kind=enums.EVIDENCE.decode(message.kind),
        source=message.source,
        metric=message.metric,
        targets=tuple(target(each) for each in message.targets),
        window=window(message.window) if message.HasField("window") else None,
        value=message.value if message.HasField("value") else None,
        threshold=message.threshold if message.HasField("threshold") else None,
        unit=message.unit,
        rule=message.rule,
        row_count=message.row_count,
        description=text(message.description),
        severity=enums.SEVERITY.decode(message.severity),
    )


def encode_evidence(domain: Evidence) -> evidence_pb2.Evidence:
    """Write a piece of evidence."""
    return evidence_pb2.Evidence(
        id=domain.id,
        kind=enums.EVIDENCE.encode(domain.kind),
        source=domain.source,
        metric=domain.metric,
        targets=[encode_target(each) for each in domain.targets],
        window=encode_window(domain.window) if domain.window else None,
        value=domain.value,
        threshold=domain.threshold,
        unit=domain.unit,
        rule=domain.rule,
        row_count=domain.row_count,
        description=encode_text(domain.description),
        severity=enums.SEVERITY.encode(domain.severity),
    )
