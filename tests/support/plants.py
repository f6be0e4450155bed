"""Plants for tests: small, random but seeded, with every kind of hole that real data have."""

import importlib.resources
from datetime import UTC, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from services.data.domain import calendar, metrics, sample_model
from services.data.domain.datasets import DATASETS, Dataset, Row, Value
from services.data.domain.imports import Batch
from services.data.domain.metrics import Metric
from services.data.domain.plant import Dimension, Plant, Shift, Target, TargetEntry, Text
from services.data.domain.sample_model import SampleModel

SHIFTS = (
    Shift("day", Text("주간", "Day"), time(6), time(18)),
    Shift("night", Text("야간", "Night"), time(18), time(6)),
)
# Clocks change on the 2nd of November in New York.
START = datetime(2025, 10, 20, tzinfo=UTC)
DAYS = 24
IDS = {
    Dimension.LINE: ("L01", "L02", "L10"),
    Dimension.EQUIPMENT: ("E001", "E002"),
    Dimension.PROCESS: ("P001",),
    Dimension.PRODUCT: ("A-1", "a-2", "B"),
    Dimension.LOT: ("1", "2", "3", "10"),
    Dimension.OPERATOR: ("kim",),
    Dimension.REASON: ("jam", "Other"),
    Dimension.CATEGORY: ("light", "heavy"),
}


@cache
def known_metrics() -> dict[str, Metric]:
    return metrics.parse(definition("metrics.yaml"))


@cache
def sample() -> SampleModel:
    return sample_model.parse(definition("sample_plant.yaml"))


def definition(name: str) -> str:
    return importlib.resources.files("services.data.domain").joinpath(name).read_text(encoding="utf-8")


def plant(plant_id: str = "mill", zone: str = "America/New_York", shifts: tuple[Shift, ...] = SHIFTS) -> Plant:
    return Plant(plant_id, Text("제분소", "Mill"), ZoneInfo(zone), shifts, goals={"oee": 0.85})


def row(dataset: str, key: str, started_at: datetime, ended_at: datetime | None = None, **values: Value) -> Row:
    """Return a row of `dataset` with the given columns filled."""
    given: dict[str, Value] = {"key": key, "started_at": started_at, "ended_at": ended_at, **values}
    columns = DATASETS[dataset].columns
    assert set(given) <= set(columns), set(given) - set(columns)
    return tuple(given.get(column) for column in columns)


def targets(*names: str) -> tuple[TargetEntry, ...]:
    """Return nameless targets from `line:L01`."""
    parts = (name.split(":") for name in names)
    return tuple(TargetEntry(Target(Dimension(kind), target_id)) for kind, target_id in parts)


def random_batch(seed: int, of: Plant, rows_a_set: int = 150) -> Batch:
    """Return rows of every data set: holes in every column, whole numbers only, so that sums are exact anywhere."""
    random = Random(seed)  # noqa: S311 - invented rows
    rows = {
        name: [_random_row(dataset, i, random, of) for i in range(rows_a_set)] for name, dataset in DATASETS.items()
    }
    named = [f"{kind}:{each}" for kind, ids in IDS.items() for each in ids]
    return Batch(of, targets(*named, *(f"shift:{shift.id}" for shift in of.shifts)), rows)


def _random_row(dataset: Dataset, number: int, random: Random, of: Plant) -> Row:
    start = START + timedelta(minutes=15 * random.randrange(DAYS * 96))
    values: dict[str, Value] = {}
    for dimension in dataset.dimensions:
        if dimension in IDS:
            values[dimension.value] = random.choice([*IDS[dimension], None])
    if Dimension.SHIFT in dataset.dimensions and (found := calendar.shift_at(start, of.shifts, of.zone)):
        values |= {"shift": found[0], "shift_started_at": found[1]}
    for measure in dataset.measures:
        values[measure] = random.choice([None, 0.0, float(random.randrange(1, 500)), float(random.randrange(1, 500))])
    if dataset.tagged:
        values |= {
            "tag": random.choice(["temperature", "vibration", "level"]),
            "quality": random.choice(["good", "good", "uncertain", "bad"]),
        }
    end = random.choice([None, start + timedelta(minutes=15 * random.randrange(1, 9))])
    return row(dataset.name, str(number), start, end, **values)
