"""The five kinds of facts and one of stock: which columns each has. The tables of the store have exactly these.

A row of a data set is a tuple in the order of `Dataset.columns`. Which rows are the same row is said by `key`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.data.domain.plant import Dimension

Value = str | float | datetime | None
Row = tuple[Value, ...]

# Before the dimensions, in every data set. `shift_started_at` is when the occurrence of the row's shift began.
LEADING = ("key", "started_at", "ended_at", "shift_started_at")
KEY, STARTED, ENDED, SHIFT_STARTED = range(4)


class Kind(StrEnum):
    """What a row is."""

    INTERVAL = "interval"  # what happened from started_at to ended_at; no row means that nobody knows
    EVENT = "event"  # something that happened; no row means that nothing did
    SNAPSHOT = "snapshot"  # how things stood at started_at; the newest row of each series counts


@dataclass(frozen=True, slots=True)
class Dataset:
    """A table of facts. Names are column names; measures are real numbers in the unit that the name ends in.

    `tagged` sets hold many quantities, one a row, told apart by the text column `tag`, and have a `quality`
    column whose rows `bad` are never read. `continuous` sets have rows all the time, whether the plant works or not.
    """

    name: str
    kind: Kind
    dimensions: tuple[Dimension, ...]
    measures: tuple[str, ...]
    tagged: bool = False
    continuous: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Text columns beside the dimensions."""
        return ("tag", "quality") if self.tagged else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of a row."""
        return (*LEADING, *self.dimensions, *self.texts, *self.measures)

    def position(self, column: str) -> int:
        """Return where a column stands in a row. Raises ValueError for a name that is none."""
        return self.columns.index(column)


_PLACE = (Dimension.LINE, Dimension.EQUIPMENT, Dimension.PROCESS)
_WORK = (*_PLACE, Dimension.PRODUCT, Dimension.LOT, Dimension.OPERATOR, Dimension.SHIFT)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "production",
            Kind.INTERVAL,
            _WORK,
            (
                "planned_qty",
                "total_qty",
                "good_qty",
                "defect_qty",
                "rework_qty",
                "scrap_qty",
                "runtime_min",
                "downtime_min",
                "setup_min",
                "stop_count",
                "ideal_cycle_s",
                # Length of a batch; filled only where a row is a whole batch.
                "batch_min",
            ),
        ),
        Dataset("defect", Kind.EVENT, (*_WORK, Dimension.REASON), ("defect_qty",)),
        Dataset("downtime", Kind.EVENT, (*_WORK, Dimension.REASON), ("minutes",)),
        Dataset(
            "energy",
            Kind.INTERVAL,
            (*_PLACE, Dimension.SHIFT, Dimension.CATEGORY),
            ("energy_kwh", "lagging_kvarh", "leading_kvarh", "co2_t", "power_factor"),
            continuous=True,
        ),
        Dataset(
            "reading",
            Kind.INTERVAL,
            (*_PLACE, Dimension.SHIFT, Dimension.CATEGORY),
            ("value",),
            tagged=True,
            continuous=True,
        ),
        Dataset(
            "inventory",
            Kind.SNAPSHOT,
            (Dimension.PRODUCT, Dimension.LOT, Dimension.CATEGORY),
            ("stock_qty", "safety_qty", "daily_use_qty"),
        ),
    )
}
