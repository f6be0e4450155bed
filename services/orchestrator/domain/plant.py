"""What can be asked of one plant."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from services.orchestrator.domain.language import NO_TEXT, Localized
from services.orchestrator.domain.meaning import Target, Window


class Direction(StrEnum):
    """Which way is good."""

    UNSPECIFIED = "UNSPECIFIED"
    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"
    LOWER_IS_BETTER = "LOWER_IS_BETTER"


class Aggregation(StrEnum):
    """How rows become one figure."""

    UNSPECIFIED = "UNSPECIFIED"
    SUM = "SUM"
    MEAN = "MEAN"
    RATIO = "RATIO"
    PRODUCT = "PRODUCT"
    COUNT = "COUNT"
    LAST = "LAST"


ADDS_UP = frozenset({Aggregation.SUM, Aggregation.COUNT})


class Dimension(StrEnum):
    """What data can be split and filtered by; the values are the kinds of targets."""

    UNSPECIFIED = ""
    LINE = "line"
    EQUIPMENT = "equipment"
    PROCESS = "process"
    PRODUCT = "product"
    LOT = "lot"
    OPERATOR = "operator"
    SHIFT = "shift"
    REASON = "reason"
    CATEGORY = "category"


class Grain(StrEnum):
    """Width of a time bucket, finest first; UNSPECIFIED is one bucket a window."""

    UNSPECIFIED = ""
    QUARTER_HOUR = "quarter_hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


GRAINS = (Grain.QUARTER_HOUR, Grain.HOUR, Grain.DAY, Grain.WEEK, Grain.MONTH)
# Seconds of a bucket; a month counts 28 days, so that the number of buckets is never guessed too low.
GRAIN_SECONDS = {
    Grain.QUARTER_HOUR: 900,
    Grain.HOUR: 3600,
    Grain.DAY: 86_400,
    Grain.WEEK: 7 * 86_400,
    Grain.MONTH: 28 * 86_400,
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that can be asked for. `unit` is UCUM, `1` for a fraction; `target` the plant's goal."""

    id: str
    display: Localized = NO_TEXT
    aliases: tuple[str, ...] = ()
    unit: str = ""
    direction: Direction = Direction.UNSPECIFIED
    aggregation: Aggregation = Aggregation.UNSPECIFIED
    formula: str = ""
    dataset: str = ""
    dimensions: tuple[Dimension, ...] = ()
    target: float | None = None
    coverage: Window | None = None
    finest_grain: Grain = Grain.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Shift:
    """A working period that repeats each day; `start` and `end` are local `HH:MM`."""

    id: str
    display: Localized
    start: str
    end: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant: `id` is `sample` of `plants/sample`."""

    id: str
    display: Localized
    time_zone: str
    shifts: tuple[Shift, ...] = ()
    synthetic: bool = False

    @property
    def name(self) -> str:
        """Return the resource name."""
        return f"plants/{self.id}"


@dataclass(frozen=True)
class Catalog:
    """Everything that can be asked of one plant, in one version."""

    plant: Plant
    version: str
    metrics: tuple[Metric, ...] = ()
    targets: tuple[Target, ...] = ()
    unavailable_metrics: tuple[str, ...] = ()
    coverage: Window | None = None
    parents: dict[str, str] = field(default_factory=dict)

    @cached_property
    def metric_of(self) -> dict[str, Metric]:
        """Metrics by id."""
        return {metric.id: metric for metric in self.metrics}

    @cached_property
    def target_of(self) -> dict[str, Target]:
        """Targets by name, shifts among them."""
        shifts = {f"shift:{shift.id}": Target(f"shift:{shift.id}", shift.display) for shift in self.plant.shifts}
        return shifts | {target.name: target for target in self.targets}

    @cached_property
    def sizes(self) -> dict[str, int]:
        """How many targets there are of each kind."""
        sizes: dict[str, int] = {}
        for target in self.target_of.values():
            sizes[target.kind] = sizes.get(target.kind, 0) + 1
        return sizes

    @cached_property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        return ZoneInfo(self.plant.time_zone)

    def local(self, instant: datetime) -> datetime:
        """Return the instant on the plant's wall clock."""
        return instant.astimezone(self.zone)
