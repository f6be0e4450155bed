"""What can be asked of a plant: the metrics its data answer, the things in it, and from when to when."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.data.domain.calendar import Grain
from services.data.domain.datasets import DATASETS, Kind
from services.data.domain.metrics import Metric, Source, dimensions_of, with_tags
from services.data.domain.plant import Dimension, Plant, TargetEntry, Window

_GRAINS = (
    (timedelta(minutes=15), Grain.QUARTER_HOUR),
    (timedelta(hours=1), Grain.HOUR),
    (timedelta(days=1), Grain.DAY),
    (timedelta(days=7), Grain.WEEK),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What one data set of a plant holds; one record for each tag of a tagged set.

    `first` and `last` are the start of its first and the end of its last row, `longest` the length of its longest.
    `filled` are the columns that have a value in at least one row. A row without an end lasts one second.
    """

    dataset: str
    tag: str
    row_count: int
    first: datetime
    last: datetime
    longest: timedelta
    filled: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlantRecord:
    """A plant as the store keeps it, facts by data set and tag. `version` changes with whatever changed of it."""

    plant: Plant
    version: str
    facts: tuple[Facts, ...]


@dataclass(frozen=True, slots=True)
class CatalogueSource:
    """A source that this plant fills, with the dimensions that its rows have, and up to when."""

    source: Source
    dimensions: frozenset[Dimension]
    last: datetime


@dataclass(frozen=True, slots=True)
class CatalogueMetric:
    """A metric that this plant's data answer. `sources` in order of preference; dimensions are those of any."""

    metric: Metric
    sources: tuple[CatalogueSource, ...]
    dimensions: tuple[Dimension, ...]
    goal: float | None
    coverage: Window
    finest_grain: Grain


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be asked of one plant.

    `store_version` is the version of the rows that it was made from, `version` that of its whole content, which also
    changes with the metric definitions. Targets by name, `line:L03`.
    """

    plant: Plant
    version: str
    store_version: str
    metrics: Mapping[str, CatalogueMetric]
    unavailable: tuple[str, ...]
    targets: Mapping[str, TargetEntry]
    coverage: Window | None


def build(record: PlantRecord, targets: Sequence[TargetEntry], metrics: Mapping[str, Metric]) -> Catalogue:
    """Put the catalogue of a plant together from its record, its targets and the metrics that the engine knows."""
    plant = record.plant
    facts = {(each.dataset, each.tag): each for each in record.facts}
    finest_interval = facts.get(("production", ""))
    known = with_tags(metrics, plant)
    available: dict[str, CatalogueMetric] = {}
    for metric in known.values():
        usable = [
            (source, fact)
            for source in metric.sources
            if (fact := facts.get((source.dataset.name, source.tag))) and source.columns <= fact.filled
        ]
        if not usable:
            continue
        sources = tuple(
            CatalogueSource(
                source, frozenset(d for d in source.dataset.dimensions if d.value in fact.filled), fact.last
            )
            for source, fact in usable
        )
        split = {dimension for source in sources for dimension in source.dimensions}
        first = usable[0][1]
        available[metric.id] = CatalogueMetric(
            metric=metric,
            sources=sources,
            dimensions=tuple(each for each in dimensions_of(metric) if each in split),
            goal=plant.goals.get(metric.id),
            coverage=Window(first.first, first.last),
            finest_grain=_finest_grain(first, finest_interval),
        )
    return Catalogue(
        plant=plant,
        version=digest(record.version, *(repr(metric) for metric in known.values())),
        store_version=record.version,
        metrics=available,
        unavailable=tuple(sorted(set(known) - set(available))),
        targets={str(entry.target): entry for entry in targets},
        coverage=_span(record.facts),
    )


def digest(*parts: str) -> str:
    """Return a short digest of texts, as a version."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def version_of(plant: Plant, facts: Sequence[Facts], targets: Sequence[TargetEntry]) -> str:
    """Return the version of a plant's record: the same content has the same version, on every machine."""
    ordered_facts = sorted(facts, key=lambda each: (each.dataset, each.tag))
    ordered_targets = sorted(targets, key=lambda each: str(each.target))
    goals = sorted(plant.goals.items())
    return digest(
        *map(
            repr, (plant.id, plant.name, plant.zone.key, plant.shifts, plant.synthetic, plant.attribution, plant.tags)
        ),
        repr(goals),
        *(
            f"{f.dataset}/{f.tag}/{f.row_count}/{f.first}/{f.last}/{f.longest}/{sorted(f.filled)}"
            for f in ordered_facts
        ),
        *map(repr, ordered_targets),
    )


def _finest_grain(fact: Facts, production: Facts | None) -> Grain:
    kind = DATASETS[fact.dataset].kind
    # A snapshot stands for its day. An event has a length of its own: how exactly its time is known shows in the
    # intervals that the plant records beside it.
    if kind is Kind.SNAPSHOT:
        return Grain.DAY
    if kind is Kind.EVENT:
        return Grain.HOUR if production is None else _finest_grain(production, None)
    return next((grain for width, grain in _GRAINS if fact.longest <= width), Grain.MONTH)


def _span(facts: Sequence[Facts]) -> Window | None:
    if not facts:
        return None
    return Window(min(each.first for each in facts), max(each.last for each in facts))
