"""What a store is asked for and what it gives back: sums over groups of rows, no metrics and no rows.

The store knows how to group and add up; what the sums mean stays in the domain. A scan names only columns of
`datasets.py`, so a store may compose its statement from them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.data.domain.datasets import Dataset
from services.data.domain.metrics import Term
from services.data.domain.plant import Dimension

# The longest shift: how far a row may lie from the start of its shift.
LONGEST_SHIFT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ScanWindow:
    """A period to read: start <= t < end, where t is `started_at`, or with `by_shift` the start of the row's shift.

    `index` is its place in the query; windows that are empty under `as_of` are not scanned at all.
    """

    index: int
    start: datetime
    end: datetime
    by_shift: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """One pass over one data set: figures of `terms` over the rows that pass the filters.

    `filters`: for each dimension the ids of which one has to match. `tags` are those that the terms name.
    """

    dataset: Dataset
    terms: tuple[Term, ...]
    filters: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that one query needs, for one statement.

    `cuts`: starts of the time buckets, ascending; a row belongs to the last one at or before its time. Empty: one
    bucket a window. `shift_buckets`: that time is the start of the row's shift where it has one. `cut_off`: rows that
    start at or after it are not read. `limit`: groups a branch, in the order window, bucket, dimensions (nulls last).
    """

    windows: tuple[ScanWindow, ...]
    branches: tuple[Branch, ...]
    dimensions: tuple[Dimension, ...]
    limit: int
    cuts: tuple[datetime, ...] = ()
    shift_buckets: bool = False
    cut_off: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of one branch over the rows of one window, bucket and combination of dimensions.

    `bucket` indexes `cuts`; 0 where there are none. `figures` stand in the order of the branch's terms. `latest` is
    the end of the newest of its rows.
    """

    branch: int
    window: int
    bucket: int
    dimensions: tuple[str | None, ...]
    figures: tuple[float | None, ...]
    latest: datetime


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found, and the plant's version at that moment: a reader with an older catalogue starts over."""

    version: str
    groups: tuple[Group, ...]
