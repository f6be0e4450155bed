"""A question to the data: which metrics, of what, when, split how. Checked against the catalogue, then planned."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.data.domain import calendar
from services.data.domain.calendar import Grain
from services.data.domain.catalogue import Catalogue, CatalogueMetric, CatalogueSource
from services.data.domain.plant import Dimension, Window
from services.data.domain.scan import LONGEST_SHIFT, Branch, Scan, ScanWindow
from services.errors import FailedPrecondition, FieldViolation, Invalid, Reason

DEFAULT_LIMIT = 1_000
# More groups than this are no table for anybody; the store stops there.
MAX_GROUPS = 100_000
# What calendars and databases agree on, with room to move a window by a day in any zone.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
TIME = "time"
WINDOW = "window"


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Column id and way; rows without a value come last either way."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A question. `targets` are names as `line:L03`: alternatives within a kind, kinds all have to hold.

    `limit` 0 means 1,000 rows. `grain` None means one bucket a window.
    """

    metrics: tuple[str, ...]
    windows: tuple[Window, ...]
    targets: tuple[str, ...] = ()
    group_by: tuple[Dimension, ...] = ()
    grain: Grain | None = None
    order_by: OrderBy | None = None
    limit: int = 0
    include_future: bool = False


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric with the source it is computed from and the branch of the scan that reads it."""

    metric: CatalogueMetric
    source: CatalogueSource
    branch: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A checked query, the scan that answers it, and what the scan's figures mean."""

    query: Query
    catalogue: Catalogue
    as_of: datetime
    metrics: tuple[PlannedMetric, ...]
    scan: Scan
    windows: tuple[Window, ...] = field(default=())

    @property
    def limit(self) -> int:
        """Rows at most."""
        return self.query.limit or DEFAULT_LIMIT


def plan(query: Query, catalogue: Catalogue, as_of: datetime) -> Planned:
    """Check a query against what the plant has and say how it is read.

    Raises Invalid (UNKNOWN_METRIC, UNKNOWN_TARGET, a window out of all time, or a column to order by that the answer
    does not have) and FailedPrecondition (DATA_NOT_AVAILABLE).
    """
    _check_windows(query)
    filters = _filters(query, catalogue)
    needed = tuple(dict.fromkeys((*query.group_by, *(dimension for dimension, _ in filters))))
    chosen = [_choose(metric, needed, catalogue) for metric in query.metrics]
    _check_order(query)
    sources: dict[str, list[CatalogueSource]] = {}
    for _, source in chosen:
        sources.setdefault(source.source.dataset.name, []).append(source)
    branches = tuple(_branch(each, filters) for each in sources.values())
    places = {name: place for place, name in enumerate(sources)}
    metrics = tuple(PlannedMetric(metric, source, places[source.source.dataset.name]) for metric, source in chosen)
    by_shift = Dimension.SHIFT in needed
    cut_off = None if query.include_future else as_of
    windows = tuple(_clip(window, cut_off) for window in query.windows)
    limit = MAX_GROUPS + 1 if query.order_by else (query.limit or DEFAULT_LIMIT) + 1
    scan = Scan(
        windows=tuple(
            ScanWindow(i, w.start, w.end, by_shift and _whole_days(query.windows[i], catalogue, as_of))
            for i, w in enumerate(windows)
            if w.start < w.end
        ),
        branches=branches,
        dimensions=query.group_by,
        limit=limit,
        cuts=_cuts(query, windows, catalogue, by_shift=by_shift),
        shift_buckets=by_shift and query.grain in {Grain.DAY, Grain.WEEK, Grain.MONTH},
        cut_off=cut_off,
    )
    return Planned(query, catalogue, as_of, metrics, scan, windows)


def _filters(query: Query, catalogue: Catalogue) -> tuple[tuple[Dimension, tuple[str, ...]], ...]:
    wanted: dict[Dimension, list[str]] = {}
    for name in query.targets:
        if name not in catalogue.targets:
            raise Invalid(f"the plant has no {name}", Reason.UNKNOWN_TARGET, {"target": name})
        target = catalogue.targets[name].target
        wanted.setdefault(target.kind, []).append(target.id)
    return tuple((kind, tuple(dict.fromkeys(ids))) for kind, ids in wanted.items())


def _choose(
    metric_id: str, needed: tuple[Dimension, ...], catalogue: Catalogue
) -> tuple[CatalogueMetric, CatalogueSource]:
    metric = catalogue.metrics.get(metric_id)
    if metric is None:
        if metric_id in catalogue.unavailable:
            raise FailedPrecondition(
                f"the plant has no data for {metric_id}",
                Reason.DATA_NOT_AVAILABLE,
                {"metric": metric_id, "dimension": ""},
            )
        raise Invalid(
            f"{metric_id} is no metric",
            Reason.UNKNOWN_METRIC,
            {"metric": metric_id, "known": ",".join(sorted(catalogue.metrics))},
        )
    for source in metric.sources:
        if source.dimensions.issuperset(needed):
            return metric, source
    missing = next((each for each in needed if each not in metric.dimensions), needed[-1])
    raise FailedPrecondition(
        f"{metric_id} of this plant cannot be split or filtered by {missing}",
        Reason.DATA_NOT_AVAILABLE,
        {"metric": metric_id, "dimension": missing.value},
    )


def _check_windows(query: Query) -> None:
    for i, window in enumerate(query.windows):
        if window.start < EARLIEST or window.end > LATEST:
            description = f"lies between {EARLIEST:%Y} and {LATEST:%Y}"
            violation = FieldViolation(f"query.windows[{i}]", description, "query.windows.range")
            raise Invalid(f"windows[{i}] {description}", violations=(violation,))


def _check_order(query: Query) -> None:
    if query.order_by is None:
        return
    columns = [*query.metrics, *(each.value for each in query.group_by)]
    columns += [TIME] if query.grain else []
    columns += [WINDOW] if len(query.windows) > 1 else []
    if query.order_by.column not in columns:
        description = f"{query.order_by.column} is no column of the answer; it has {', '.join(columns)}"
        violation = FieldViolation("query.order_by.column", description, "query.order_by.known")
        raise Invalid(description, violations=(violation,))


def _branch(sources: list[CatalogueSource], filters: tuple[tuple[Dimension, tuple[str, ...]], ...]) -> Branch:
    terms = dict.fromkeys(term for each in sources for term in (*each.source.terms, each.source.counted))
    tags = dict.fromkeys(each.source.tag for each in sources if each.source.tag)
    return Branch(sources[0].source.dataset, tuple(terms), filters, tuple(tags))


def _clip(window: Window, cut_off: datetime | None) -> Window:
    return window if cut_off is None or window.end <= cut_off else Window(window.start, cut_off)


def _whole_days(window: Window, catalogue: Catalogue, as_of: datetime) -> bool:
    # Who asks for the night shift of a day means the whole shift that began on it. Who gives hours means hours.
    zone = catalogue.plant.zone
    ends_with_day = window.end >= as_of or calendar.is_day_start(window.end, zone)
    return calendar.is_day_start(window.start, zone) and ends_with_day


def _cuts(query: Query, windows: tuple[Window, ...], catalogue: Catalogue, *, by_shift: bool) -> tuple[datetime, ...]:
    if query.grain is None:
        return ()
    # Buckets outside the data are never filled: no need to draw them.
    coverage = catalogue.coverage
    if coverage is None:
        return ()
    lead = LONGEST_SHIFT if by_shift else timedelta(0)
    touched = [
        Window(max(window.start, coverage.start) - lead, min(window.end, coverage.end) + lead)
        for window in windows
        if window.start < coverage.end and window.end > coverage.start
    ]
    width = calendar.NOMINAL_WIDTH[query.grain]
    if sum(((each.end - each.start) / width for each in touched), 0.0) > MAX_GROUPS:
        description = f"the windows hold more than {MAX_GROUPS:,} buckets of a {query.grain.value}"
        raise Invalid(description, violations=(FieldViolation("query.grain", description, "query.grain.buckets"),))
    return tuple(calendar.cuts(touched, query.grain, catalogue.plant.zone))
