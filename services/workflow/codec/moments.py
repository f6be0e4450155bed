"""Times and durations. Protobuf's own conversions take many times as long and raise what nobody catches."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from services.errors import FieldViolation, Invalid

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Protobuf allows the years 1 to 9999, but the first and the last instant mean "infinity" to PostgreSQL's driver.
_FIRST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MICROS: Final = 1_000_000


def moment(timestamp: Timestamp, field: str) -> datetime:
    """Read a timestamp to the microsecond. Raises Invalid, naming `field`, outside the years 1900 to 9998."""
    try:
        value = _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
    except OverflowError:
        value = _END
    if not _FIRST <= value < _END:
        description = "a time lies in the years 1900 to 9998"
        violation = FieldViolation(field, description, "timestamp.range")
        raise Invalid(f"{field}: {description}", violations=(violation,))
    return value


def stamp(target: Timestamp, value: datetime) -> None:
    """Write a time."""
    seconds, micros = divmod((value - _EPOCH) // _MICROSECOND, _MICROS)
    target.seconds, target.nanos = seconds, micros * 1000


def seconds_of(duration: Duration) -> float:
    """Read a duration."""
    return duration.seconds + duration.nanos / 1e9
