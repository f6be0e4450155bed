"""Times that people type: `2024-09-01`, `2024-09-01 12:00`, `2024-09-01T12:00:00+09:00`, `now`."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.cli.failure import UsageProblem
from services.cli.views.table import PLANT_ZONE


def parse_moment(text: str | None, option: str) -> Timestamp | None:
    """Return the instant, None for none. A time without an offset is the plant's. Raises UsageProblem."""
    if not text:
        return None
    if text == "now":
        moment = datetime.now(UTC)
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise UsageProblem("usage.bad_time", option=option, text=text) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PLANT_ZONE)
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def as_query(stamp: Timestamp | None) -> str:
    """Return the instant as a query parameter; empty for None."""
    return "" if stamp is None else stamp.ToJsonString()
