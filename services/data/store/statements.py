"""SQL whose shape depends on the question, put together from vetted column names; every value is a parameter.

A name reaches the text only if `datasets.py` has it, so nothing that a user wrote ever does.
"""
# ruff: noqa: S608 - that is the point of this module, and the reason for the paragraph above

from dataclasses import dataclass

from services.data.domain.datasets import Dataset, Kind
from services.data.domain.metrics import Fold, Term
from services.data.domain.scan import Branch, Scan


class _Parameters:
    """Collects values and hands out their placeholders."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def add(self, value: object, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


@dataclass(frozen=True, slots=True)
class Statement:
    """Text and parameters. Questions of one shape have one text, which PostgreSQL has then prepared."""

    sql: str
    parameters: tuple[object, ...]


def scan(plant: str, asked: Scan) -> Statement:
    """Compose the one statement of a scan.

    Columns: branch, window, bucket, d1, d2, figures, latest, version. The first row has the plant's version and
    nothing else; each branch's groups follow.
    """
    given = _Parameters()
    plant_at = given.add(plant, "text")
    version = (
        "SELECT -1 AS branch, 0 AS window_index, 0 AS bucket, NULL::text AS d1, NULL::text AS d2,"
        f" NULL::float8[] AS figures, NULL::timestamptz AS latest, version FROM plant WHERE plant = {plant_at}"
    )
    parts = [version]
    if asked.windows:
        windows = _windows(asked, given)
        cuts = given.add(list(asked.cuts), "timestamptz[]") if asked.cuts else ""
        cut_off = given.add(asked.cut_off, "timestamptz") if _by_shift(asked) and asked.cut_off else ""
        for i, branch in enumerate(asked.branches):
            parts.append(_branch(i, branch, asked, given, _Places(plant_at, windows, cuts, cut_off)))
    return Statement("\nUNION ALL\n".join(parts), tuple(given.values))


@dataclass(frozen=True, slots=True)
class _Places:
    """Placeholders that all branches share."""

    plant: str
    windows: str
    cuts: str
    cut_off: str


def _by_shift(asked: Scan) -> bool:
    return any(window.by_shift for window in asked.windows)


def _windows(asked: Scan, given: _Parameters) -> str:
    index = given.add([window.index for window in asked.windows], "int[]")
    starts = given.add([window.start for window in asked.windows], "timestamptz[]")
    ends = given.add([window.end for window in asked.windows], "timestamptz[]")
    if not _by_shift(asked):
        return f"unnest({index}, {starts}, {ends}) AS w (i, s, e)"
    by_shift = given.add([window.by_shift for window in asked.windows], "boolean[]")
    return f"unnest({index}, {starts}, {ends}, {by_shift}) AS w (i, s, e, by_shift)"


def _branch(number: int, branch: Branch, asked: Scan, given: _Parameters, places: _Places) -> str:
    dataset = branch.dataset
    # The time that decides about the bucket, and where a shift was asked for about the window.
    shift_time = "coalesce(t.shift_started_at, t.started_at)"
    time = shift_time if asked.shift_buckets else "t.started_at"
    bucket = f"width_bucket({time}, {places.cuts}) - 1" if places.cuts else "0::int"
    dimensions = [_column(dataset, each.value) for each in asked.dimensions]
    d1, d2 = [*dimensions, "NULL::text", "NULL::text"][:2]
    where = [_within(asked, places, shift_time)]
    where += [
        f"{_column(dataset, dimension.value)} = ANY ({given.add(list(ids), 'text[]')})"
        for dimension, ids in branch.filters
    ]
    tags = given.add(list(branch.tags), "text[]") if branch.tags else ""
    if tags:
        where += [f"t.tag = ANY ({tags})", "t.quality <> 'bad'"]
    source = f"{_table(dataset)} AS t WHERE {' AND '.join(where)}"
    if dataset.kind is Kind.SNAPSHOT:
        # The newest row of each series in each bucket stands for it.
        series = ", ".join(_column(dataset, each.value) for each in dataset.dimensions)
        source = (
            f"(SELECT DISTINCT ON ({bucket}, {series}) {bucket} AS bucket, t.* FROM {source}"
            f" ORDER BY {bucket}, {series}, t.started_at DESC) AS t"
        )
        bucket = "t.bucket" if places.cuts else bucket
    figures = ", ".join(_term(dataset, term, branch, tags) for term in branch.terms)
    groups = [*([bucket] if places.cuts else []), *dimensions]
    grouping = f" GROUP BY {', '.join(groups)}" if groups else ""
    # A subquery for each window, which cannot be flattened: so the bounds always reach the index, and a plant that
    # was loaded a second ago, before the server has any statistics of it, is read as fast as an old one.
    text = (
        f"SELECT {number}, w.i, g.* FROM {places.windows} CROSS JOIN LATERAL (SELECT {bucket} AS bucket, {d1} AS d1,"
        f" {d2} AS d2, ARRAY[{figures}]::float8[] AS figures, max(coalesce(t.ended_at, t.started_at)) AS latest,"
        f" NULL::text AS version FROM {source}{grouping}) AS g"
    )
    if not groups:
        return text
    # By bytes and not by the database's language: the domain orders so too.
    order = ["w.i", "g.bucket", *(f'g.{name} COLLATE "C" NULLS LAST' for name in ("d1", "d2")[: len(dimensions)])]
    return f"({text} ORDER BY {', '.join(order)} LIMIT {asked.limit})"


def _within(asked: Scan, places: _Places, shift_time: str) -> str:
    plant = f"t.plant = {places.plant}"
    if not _by_shift(asked):
        return f"{plant} AND t.started_at >= w.s AND t.started_at < w.e"
    # The first line is what the index finds, a day wider than the window; the second decides.
    return (
        f"{plant} AND t.started_at >= w.s AND t.started_at < w.e + interval '1 day'"
        f" AND CASE WHEN w.by_shift THEN {shift_time} ELSE t.started_at END >= w.s"
        f" AND CASE WHEN w.by_shift THEN {shift_time} ELSE t.started_at END < w.e"
        + (f" AND t.started_at < {places.cut_off}" if places.cut_off else "")
    )


def _term(dataset: Dataset, term: Term, branch: Branch, tags: str) -> str:
    columns = " * ".join(_column(dataset, name) for name in term.columns)
    match term.fold:
        case Fold.SUM:
            text = f"sum({columns})"
        case Fold.COUNT:
            text = f"count({columns})"
        case Fold.DISTINCT:
            text = f"count(DISTINCT {columns})"
        case Fold.ROWS:
            text = "count(*)"
    if len(branch.tags) > 1:
        text += f" FILTER (WHERE t.tag = ({tags})[{branch.tags.index(term.tag) + 1}])"
    return text


def merge(dataset: Dataset) -> str:
    """Compose the statement that takes the rows of the temporary table `incoming` into a data set.

    Gives how many rows are new and how many replaced one of the same key; equal rows are left alone.
    """
    columns = ", ".join(f'"{name}"' for name in ("tenant", "plant", *dataset.columns))
    changeable = dataset.columns[1:]
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in changeable)
    mine = ", ".join(f't."{name}"' for name in changeable)
    theirs = ", ".join(f'excluded."{name}"' for name in changeable)
    return (
        f"WITH merged AS (INSERT INTO {_table(dataset)} AS t ({columns}) SELECT {columns} FROM incoming"
        f" ON CONFLICT (tenant, plant, key) DO UPDATE SET {sets} WHERE ({mine}) IS DISTINCT FROM ({theirs})"
        # A row that was there carries the id of the transaction that replaced it.
        " RETURNING xmax = 0 AS inserted)"
        " SELECT count(*) FILTER (WHERE inserted) AS inserted, count(*) FILTER (WHERE NOT inserted) AS updated"
        " FROM merged"
    )


def incoming(dataset: Dataset) -> str:
    """Compose the statement that makes the temporary table, which COPY may fill: it has no row level security."""
    return f"CREATE TEMPORARY TABLE incoming (LIKE {_table(dataset)}) ON COMMIT DROP"


def facts(dataset: Dataset) -> str:
    """Compose the statement that says what a data set of a plant holds; a row for each tag. $1 is the plant.

    Columns: tag, row_count, first, last, longest, filled (one count for each column of the data set).
    """
    tag = "t.tag" if dataset.tagged else "''"
    counts = ", ".join(f'count(t."{name}")' for name in dataset.columns)
    ended = "greatest(coalesce(t.ended_at, t.started_at), t.started_at + interval '1 second')"
    return (
        f"SELECT {tag} AS tag, count(*) AS row_count, min(t.started_at) AS first, max({ended}) AS last,"
        f" max(coalesce(t.ended_at, t.started_at) - t.started_at) AS longest, ARRAY[{counts}] AS filled"
        f" FROM {_table(dataset)} AS t WHERE t.plant = $1 GROUP BY 1"
    )


def _table(dataset: Dataset) -> str:
    return f'"{dataset.name}"'


def _column(dataset: Dataset, name: str) -> str:
    if name not in dataset.columns:
        raise ValueError(f"{dataset.name} has no column {name}")
    return f't."{name}"'
