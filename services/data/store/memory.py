"""Plants, rows and imports in this process, added up in plain Python: for tests, and the oracle of PostgreSQL's."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.data.domain.catalogue import Facts, PlantRecord, version_of
from services.data.domain.datasets import DATASETS, ENDED, KEY, SHIFT_STARTED, STARTED, Dataset, Kind, Row
from services.data.domain.imports import Batch, Counts, DataImport, ImportState, Piece, Report
from services.data.domain.metrics import Fold, Term
from services.data.domain.plant import Plant, Target, TargetEntry
from services.data.domain.sample_state import SampleState
from services.data.domain.scan import Branch, Group, Scan, Scanned, ScanWindow
from services.errors import Conflict, NotFound, Reason

_Place = tuple[int, int, tuple[str | None, ...]]


@dataclass
class _Stored:
    plant: Plant
    targets: dict[Target, TargetEntry] = field(default_factory=dict)
    rows: dict[str, dict[str, Row]] = field(default_factory=lambda: {name: {} for name in DATASETS})
    sample: SampleState | None = None
    facts: tuple[Facts, ...] = ()
    version: str = ""


class MemoryStore:
    """A `Store` (domain/ports.py). No method awaits anything, so each happens wholly or not at all."""

    def __init__(self) -> None:
        self._plants: dict[tuple[str, str], _Stored] = {}
        self._imports: dict[tuple[str, str], DataImport] = {}
        self._pieces: dict[tuple[str, str, str], dict[int, bytes]] = {}

    async def plants(self, tenant: str, after: str, limit: int) -> list[Plant]:
        """Return plants by id, those after `after`."""
        found = sorted(plant for owner, plant in self._plants if owner == tenant and plant > after)
        return [self._plants[tenant, plant].plant for plant in found[:limit]]

    async def plant(self, tenant: str, plant: str) -> PlantRecord | None:
        """Return a plant with what its data sets hold, or None."""
        stored = self._plants.get((tenant, plant))
        return PlantRecord(stored.plant, stored.version, stored.facts) if stored else None

    async def targets(self, tenant: str, plant: str) -> tuple[str, list[TargetEntry]]:
        """Return the plant's version and its targets by kind, then id."""
        stored = self._plants.get((tenant, plant))
        if stored is None:
            raise NotFound(f"there is no plant {plant}", Reason.UNKNOWN_PLANT, {"plant": plant})
        return stored.version, sorted(
            stored.targets.values(), key=lambda each: (each.target.kind.value, each.target.id)
        )

    async def scan(self, tenant: str, plant: str, scan: Scan) -> Scanned | None:
        """Add up rows; None where there is no such plant."""
        stored = self._plants.get((tenant, plant))
        if stored is None:
            return None
        groups: list[Group] = []
        for number, branch in enumerate(scan.branches):
            rows = _matching(branch, stored.rows[branch.dataset.name].values())
            found = _grouped(branch.dataset, scan, rows)
            ordered = sorted(found.items(), key=lambda each: _order(each[0]))
            kept = ordered[: scan.limit] if scan.cuts or scan.dimensions else ordered
            groups += [_group(number, branch, place, members) for place, members in kept]
        return Scanned(stored.version, tuple(groups))

    async def sample(self, tenant: str, plant: str) -> SampleState | None:
        """Return from when to when a generated plant was generated, or None."""
        stored = self._plants.get((tenant, plant))
        return stored.sample if stored else None

    async def extend_sample(
        self, tenant: str, batch: Batch, state: SampleState, expected: SampleState | None
    ) -> Counts:
        """Take rows and note the new state. Raises Conflict where the state is no longer `expected`."""
        if await self.sample(tenant, batch.plant.id) != expected:
            raise Conflict(f"somebody else extended {batch.plant.id} meanwhile", retry_after=0.1)
        counts = self._merge(tenant, batch)
        self._plants[tenant, batch.plant.id].sample = state
        return counts

    async def create_import(self, tenant: str, data_import: DataImport) -> None:
        """Note a new import."""
        self._imports[tenant, data_import.id] = data_import

    async def get_import(self, tenant: str, import_id: str) -> DataImport | None:
        """Return an import, or None."""
        return self._imports.get((tenant, import_id))

    async def list_imports(self, tenant: str, before: str, limit: int) -> list[DataImport]:
        """Return imports by id, newest first, those before `before`, without mappings and rejected rows."""
        found = sorted(
            (
                each
                for (owner, _), each in self._imports.items()
                if owner == tenant and (not before or each.id < before)
            ),
            key=lambda each: each.id,
            reverse=True,
        )
        return [
            replace(each, mapping="", report=replace(each.report, rejected_rows=Report().rejected_rows))
            for each in found[:limit]
        ]

    async def put_piece(
        self, tenant: str, import_id: str, file: str, offset: int, content: bytes
    ) -> tuple[ImportState, list[Piece]]:
        """Keep a piece, in place of an earlier one of the same offset, if the import is UPLOADING."""
        state = self._imports[tenant, import_id].state
        pieces = self._pieces.setdefault((tenant, import_id, file), {})
        if state is ImportState.UPLOADING:
            pieces[offset] = content
        return state, [Piece(at, len(each)) for at, each in sorted(pieces.items())]

    async def content(self, tenant: str, import_id: str, file: str) -> list[tuple[int, bytes]]:
        """Return the pieces of a file with their offsets, ascending."""
        return sorted(self._pieces.get((tenant, import_id, file), {}).items())

    async def commit_import(
        self, tenant: str, import_id: str, batch: Batch, outcome: Callable[[Counts], DataImport]
    ) -> tuple[DataImport, bool]:
        """Take all rows, end the import as `outcome` says, and drop its pieces."""
        current = self._imports[tenant, import_id]
        if current.state is not ImportState.UPLOADING:
            return current, False
        ended = outcome(self._merge(tenant, batch))
        self._end(tenant, ended)
        return ended, True

    async def fail_import(self, tenant: str, data_import: DataImport) -> None:
        """End an import that is UPLOADING without taking anything, and drop its pieces."""
        if self._imports[tenant, data_import.id].state is ImportState.UPLOADING:
            self._end(tenant, data_import)

    def _end(self, tenant: str, ended: DataImport) -> None:
        self._imports[tenant, ended.id] = ended
        for place in [each for each in self._pieces if each[:2] == (tenant, ended.id)]:
            del self._pieces[place]

    def _merge(self, tenant: str, batch: Batch) -> Counts:
        stored = self._plants.setdefault((tenant, batch.plant.id), _Stored(batch.plant))
        stored.plant = batch.plant
        for entry in batch.targets:
            if entry.name is not None or entry.target not in stored.targets:
                stored.targets[entry.target] = entry
        inserted = updated = total = 0
        for name, rows in batch.rows.items():
            table = stored.rows[name]
            for row in rows:
                total += 1
                key = str(row[KEY])
                inserted += key not in table
                updated += key in table and table[key] != row
                table[key] = row
        facts = (fact for name, table in stored.rows.items() for fact in _facts(DATASETS[name], table))
        stored.facts = tuple(sorted(facts, key=lambda fact: (fact.dataset, fact.tag)))
        stored.version = version_of(stored.plant, stored.facts, list(stored.targets.values()))
        return Counts(inserted, total - inserted - updated, updated)


def _facts(dataset: Dataset, rows: dict[str, Row]) -> Iterator[Facts]:
    by_tag: dict[str, list[Row]] = {}
    tag_at = dataset.position("tag") if dataset.tagged else None
    for row in rows.values():
        by_tag.setdefault("" if tag_at is None else str(row[tag_at]), []).append(row)
    for tag, members in by_tag.items():
        lengths = [_end(row) - _start(row) for row in members]
        yield Facts(
            dataset.name,
            tag,
            len(members),
            min(_start(row) for row in members),
            max(max(_end(row), _start(row) + timedelta(seconds=1)) for row in members),
            max(lengths),
            frozenset(name for at, name in enumerate(dataset.columns) if any(row[at] is not None for row in members)),
        )


def _start(row: Row) -> datetime:
    start = row[STARTED]
    assert isinstance(start, datetime)  # noqa: S101 - a column that is never null
    return start


def _end(row: Row) -> datetime:
    end = row[ENDED]
    return end if isinstance(end, datetime) else _start(row)


def _shift_time(row: Row) -> datetime:
    began = row[SHIFT_STARTED]
    return began if isinstance(began, datetime) else _start(row)


def _matching(branch: Branch, rows: Iterable[Row]) -> list[Row]:
    dataset = branch.dataset
    wanted = [(dataset.position(dimension.value), set(ids)) for dimension, ids in branch.filters]
    if dataset.tagged:
        tag, quality = dataset.position("tag"), dataset.position("quality")
        wanted.append((tag, set(branch.tags)))
        wanted.append((quality, {"good", "uncertain"}))
    return [row for row in rows if all(row[at] in ids for at, ids in wanted)]


def _in_window(row: Row, window: ScanWindow, scan: Scan) -> bool:
    when = _shift_time(row) if window.by_shift else _start(row)
    return window.start <= when < window.end and (scan.cut_off is None or _start(row) < scan.cut_off)


def _grouped(dataset: Dataset, scan: Scan, rows: list[Row]) -> dict[_Place, list[Row]]:
    places = [dataset.position(dimension.value) for dimension in scan.dimensions]
    groups: dict[_Place, list[Row]] = {}
    newest: dict[tuple[object, ...], Row] = {}
    for window in scan.windows:
        for row in rows:
            if not _in_window(row, window, scan):
                continue
            when = _shift_time(row) if scan.shift_buckets else _start(row)
            bucket = bisect_right(scan.cuts, when) - 1 if scan.cuts else 0
            if dataset.kind is Kind.SNAPSHOT:
                of = tuple(row[dataset.position(each.value)] for each in dataset.dimensions)
                series = (window.index, bucket, *of)
                if series not in newest or _start(newest[series]) < _start(row):
                    newest[series] = row
                continue
            place = (window.index, bucket, tuple(_text(row[at]) for at in places))
            groups.setdefault(place, []).append(row)
    for series_of, row in newest.items():
        window_index, bucket_index = series_of[:2]
        assert isinstance(window_index, int)  # noqa: S101 - put in above
        assert isinstance(bucket_index, int)  # noqa: S101 - put in above
        groups.setdefault((window_index, bucket_index, tuple(_text(row[at]) for at in places)), []).append(row)
    return groups


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _order(place: _Place) -> tuple[int, int, tuple[tuple[bool, str], ...]]:
    return place[0], place[1], tuple((each is None, each or "") for each in place[2])


def _group(number: int, branch: Branch, place: _Place, members: list[Row]) -> Group:
    figures = tuple(_figure(branch.dataset, term, members) for term in branch.terms)
    return Group(number, *place, figures, max(_end(row) for row in members))


def _figure(dataset: Dataset, term: Term, members: list[Row]) -> float | None:
    if term.tag:
        tag = dataset.position("tag")
        members = [row for row in members if row[tag] == term.tag]
    if term.fold is Fold.ROWS:
        return float(len(members))
    places = [dataset.position(name) for name in term.columns]
    values = [[row[at] for at in places] for row in members]
    filled = [each for each in values if None not in each]
    if term.fold is Fold.COUNT:
        return float(len(filled))
    if term.fold is Fold.DISTINCT:
        return float(len({each[0] for each in filled}))
    if not filled:
        return None
    total = 0.0
    for factors in filled:
        product = 1.0
        for factor in factors:
            assert isinstance(factor, float | int)  # noqa: S101 - a measure
            product *= factor
        total += product
    return total
