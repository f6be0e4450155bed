"""Metric definitions: data in `metrics.yaml`, checked against the data sets when they are read.

A metric is a product of quotients of sums over the rows of one data set. That one form covers sums, means, ratios,
OEE, counts and newest values, and keeps the rule that a zero denominator gives no value instead of 0.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from services.data.domain.datasets import DATASETS, Dataset, Kind
from services.data.domain.plant import Dimension, Plant, Tag, Text


class Direction(StrEnum):
    """Which way is good."""

    NONE = "none"
    HIGHER = "higher"
    LOWER = "lower"


class Aggregation(StrEnum):
    """How rows become one figure, for people; the factors say it exactly."""

    SUM = "sum"
    MEAN = "mean"
    RATIO = "ratio"
    PRODUCT = "product"
    COUNT = "count"
    LAST = "last"


class Fold(StrEnum):
    """What is done over the rows of a group."""

    SUM = "sum"
    COUNT = "count"
    DISTINCT = "distinct"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Term:
    """One figure over the rows of a group: sum of a column or of a product of two, or a count.

    `tag` narrows it to the rows of one sensor tag. A SUM without any value is None; counts are never None.
    """

    fold: Fold
    columns: tuple[str, ...] = ()
    tag: str = ""

    def __str__(self) -> str:
        inside = "*".join(self.columns) or "*"
        name = {Fold.SUM: "sum", Fold.COUNT: "count", Fold.DISTINCT: "count distinct", Fold.ROWS: "count"}[self.fold]
        return f"{name}({inside})"


@dataclass(frozen=True, slots=True)
class Factor:
    """`scale` times the sum of the numerator's terms over that of the denominator's; no denominator means 1."""

    numerator: tuple[Term, ...]
    denominator: tuple[Term, ...] = ()
    scale: float = 1.0

    def __str__(self) -> str:
        above = " + ".join(map(str, self.numerator))
        if self.denominator:
            below = " + ".join(map(str, self.denominator))
            above += f" / ({below})" if len(self.denominator) > 1 else f" / {below}"
        if self.scale == 1.0:
            return above
        # A scale of 1/60 reads better as a division.
        return f"{above} * {self.scale:g}" if self.scale > 1 else f"{above} / {1 / self.scale:g}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a metric can be computed from."""

    dataset: Dataset
    factors: tuple[Factor, ...]
    tag: str = ""

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every term of every factor, first come first."""
        return tuple(dict.fromkeys(term for each in self.factors for term in (*each.numerator, *each.denominator)))

    @property
    def counted(self) -> Term:
        """How many rows went in: those that have a value in the first column."""
        first = self.factors[0].numerator[0]
        return Term(Fold.COUNT, first.columns[:1], self.tag) if first.columns else Term(Fold.ROWS, (), self.tag)

    @property
    def columns(self) -> frozenset[str]:
        """The columns it needs."""
        return frozenset(column for term in self.terms for column in term.columns)

    def value(self, of: Callable[[Term], float | None]) -> float | None:
        """Compute the metric from the figures of its terms; None where one is missing or a denominator is 0."""
        result = 1.0
        for factor in self.factors:
            above = _total(map(of, factor.numerator))
            below = _total(map(of, factor.denominator)) if factor.denominator else 1.0
            if above is None or not below:
                return None
            result *= above / below * factor.scale
        return result


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that can be asked for."""

    id: str
    name: Text
    aliases: tuple[str, ...]
    unit: str
    direction: Direction
    aggregation: Aggregation
    sources: tuple[Source, ...]
    stale_after_h: float

    @property
    def formula(self) -> str:
        """The formula of its first source, in words and signs."""
        factors = self.sources[0].factors
        if self.sources[0].dataset.kind is Kind.SNAPSHOT:
            return f"{factors[0]} of the newest rows"
        return str(factors[0]) if len(factors) == 1 else " * ".join(f"({factor})" for factor in factors)


def _total(figures: Iterable[float | None]) -> float | None:
    total = 0.0
    for figure in figures:
        if figure is None:
            return None
        total += figure
    return total


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _WrittenText(_Written):
    ko: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _WrittenFactor(_Written):
    numerator: list[str] = Field(min_length=1)
    denominator: list[str] = []
    scale: float = 1.0


class _WrittenSource(_Written):
    dataset: str
    tag: str = ""
    factors: list[_WrittenFactor] = Field(min_length=1)


class _WrittenMetric(_Written):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    name: _WrittenText
    aliases: list[str] = Field(min_length=1, max_length=100)
    unit: str
    direction: Literal["none", "higher", "lower"]
    aggregation: Literal["sum", "mean", "ratio", "product", "count", "last"]
    stale_after_h: float = Field(gt=0)
    sources: list[_WrittenSource] = Field(min_length=1)


def parse(text: str) -> dict[str, Metric]:
    """Read the definitions from YAML. Raises ValueError where one does not fit the data sets: a fault of ours."""
    written = [_WrittenMetric.model_validate(each) for each in yaml.safe_load(text)]
    metrics = {each.id: _metric(each) for each in written}
    if len(metrics) != len(written):
        raise ValueError("two metrics have the same id")
    return metrics


def with_tags(metrics: Mapping[str, Metric], plant: Plant) -> dict[str, Metric]:
    """Add a metric for each sensor tag that only this plant has: the mean of its readings."""
    return {**metrics, **{tag.id: _of_tag(tag) for tag in plant.tags if tag.id not in metrics}}


def _of_tag(tag: Tag) -> Metric:
    mean = Factor((Term(Fold.SUM, ("value",), tag.id),), (Term(Fold.COUNT, ("value",), tag.id),))
    source = Source(DATASETS["reading"], (mean,), tag.id)
    return Metric(tag.id, tag.name, tag.aliases, tag.unit, Direction.NONE, Aggregation.MEAN, (source,), 2.0)


def _metric(written: _WrittenMetric) -> Metric:
    return Metric(
        id=written.id,
        name=Text(written.name.ko, written.name.en),
        aliases=tuple(written.aliases),
        unit=written.unit,
        direction=Direction(written.direction),
        aggregation=Aggregation(written.aggregation),
        sources=tuple(_source(written.id, each) for each in written.sources),
        stale_after_h=written.stale_after_h,
    )


def _source(metric: str, written: _WrittenSource) -> Source:
    dataset = DATASETS.get(written.dataset)
    if dataset is None:
        raise ValueError(f"metric {metric} reads {written.dataset}, which is no data set")
    if bool(written.tag) != dataset.tagged:
        raise ValueError(f"metric {metric}: a source of {dataset.name} has a tag exactly if the data set is tagged")
    factors = tuple(
        Factor(
            _terms(metric, dataset, each.numerator, written.tag),
            _terms(metric, dataset, each.denominator, written.tag),
            each.scale,
        )
        for each in written.factors
    )
    return Source(dataset, factors, written.tag)


def _terms(metric: str, dataset: Dataset, written: Sequence[str], tag: str) -> tuple[Term, ...]:
    return tuple(_term(metric, dataset, each, tag) for each in written)


def _term(metric: str, dataset: Dataset, written: str, tag: str) -> Term:
    if written == "rows":
        return Term(Fold.ROWS, (), tag)
    word, _, column = written.partition(" ")
    if word == "distinct" and column in {str(each) for each in dataset.dimensions}:
        return Term(Fold.DISTINCT, (column,), tag)
    if word == "count" and column in dataset.measures:
        return Term(Fold.COUNT, (column,), tag)
    columns = tuple(written.split("*"))
    if len(columns) <= 2 and set(columns) <= set(dataset.measures):  # noqa: PLR2004 - a or a*b
        return Term(Fold.SUM, columns, tag)
    raise ValueError(f"metric {metric}: {written!r} is no term over {dataset.name}")


def dimensions_of(metric: Metric) -> tuple[Dimension, ...]:
    """Return every dimension that some source of a metric has, in the order of the enum."""
    found = {dimension for source in metric.sources for dimension in source.dataset.dimensions}
    return tuple(dimension for dimension in Dimension if dimension in found)
