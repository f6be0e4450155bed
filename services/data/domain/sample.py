"""The sample plant's rows: invented, the same for the same seed and anchor, and only ever appended to.

Each machine-hour is drawn from a generator of its own, so an hour comes out the same whether it is generated at first
or years later. No stop crosses a full hour: `production`, `downtime` and `defect` agree to the piece and minute.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from services.data.domain import calendar
from services.data.domain.datasets import DATASETS, Row, Value
from services.data.domain.imports import Batch
from services.data.domain.plant import Dimension, Plant, Target, TargetEntry
from services.data.domain.sample_model import Cause, Machine, Product, SampleModel
from services.data.domain.sample_state import SampleState

SPAN = timedelta(days=90)
DEFAULT_SEED = 42
_HOUR = timedelta(hours=1)
_SATURDAY, _SUNDAY = 5, 6
_SATURDAY_PLAN = 0.8
_CO2_T_A_KWH = 0.000_478
# (mean, daily swing, noise) of each sensor when nothing is wrong; units as in metrics.yaml.
_SENSORS = {
    "temperature": (58.0, 4.0, 0.8),
    "vibration": (2.1, 0.15, 0.18),
    "pressure": (6.2, 0.10, 0.08),
    "flow": (42.0, 1.5, 0.9),
    "level": (0.62, 0.18, 0.01),
    "humidity": (0.46, 0.06, 0.01),
}
_PRODUCT_RUN_DAYS = 3
# What is 0 in an hour in which a machine rests; it has no cycle time and is no batch.
_IDLE = DATASETS["production"].measures[:10]


@dataclass(frozen=True, slots=True)
class _Hour:
    """One hour of the plant: UTC start, local time, shift, and the weekday on which that began."""

    start: datetime
    local: datetime
    shift: str
    shift_start: datetime
    weekday: int


def state_at(end: datetime, seed: int, existing: SampleState | None) -> SampleState:
    """Return the state of a plant that reaches up to `end`, cut to the full hour; never less than it does already."""
    cut = end.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if existing is None:
        return SampleState(seed, cut, cut)
    return replace(existing, end=max(existing.end, cut))


def start_of(state: SampleState) -> datetime:
    """Return where the first row of a plant begins."""
    return state.anchor - SPAN


def batch(model: SampleModel, state: SampleState, start: datetime, end: datetime) -> Batch:
    """Generate the rows that begin in start <= t < end (full hours). Half a second or so for 30 days: use a thread."""
    plant = replace(model.plant.plant(), synthetic=True)
    generator = _Generator(model, state, plant)
    rows: dict[str, list[Row]] = {name: [] for name in DATASETS}
    moment = start
    while moment < end:
        generator.hour(moment, rows)
        moment += _HOUR
    return Batch(plant, _targets(model, plant, rows), rows)


@dataclass(frozen=True, slots=True)
class _Cell:
    """One machine in one hour: whether it works, what is wrong with it and how strongly, and its own randomness."""

    hour: _Hour
    machine: Machine
    works: bool
    causes: tuple[tuple[Cause, float], ...]
    random: Random

    @property
    def key(self) -> str:
        return f"{self.machine.id}|{self.hour.start:%Y%m%d%H}"


class _Generator:
    def __init__(self, model: SampleModel, state: SampleState, plant: Plant) -> None:
        self._model = model
        self._plant = plant
        self._seed = state.seed
        self._anchor_day = state.anchor.astimezone(plant.zone).date()
        self._lines = sorted({machine.line for machine in model.machines})
        self._products = model.products
        self._stop_weights = [stop.weight for stop in model.stops]
        self._stop_reasons = [stop.reason for stop in model.stops]
        self._stops = {stop.reason: stop for stop in model.stops}

    def hour(self, moment: datetime, rows: dict[str, list[Row]]) -> None:
        """Add everything that the plant records of one hour."""
        hour = self._hour_of(moment)
        causes = [
            (cause, strength)
            for cause in self._model.causes
            if (strength := cause.strength(hour.local.date(), hour.local.hour / 24, self._anchor_day)) > 0
        ]
        for number, machine in enumerate(self._model.machines):
            # On Sundays every second machine rests.
            works = hour.weekday != _SUNDAY or number % 2 == 1
            touching = tuple(each for each in causes if each[0].touches(machine.line, machine.id, hour.shift))
            cell = _Cell(hour, machine, works, touching, self._random(number, moment))
            made = self._produce(cell, rows)
            self._measure(cell, made, rows)
        if hour.local.hour == 0:
            self._count_stock(hour, causes, rows)

    def _hour_of(self, moment: datetime) -> _Hour:
        local = moment.astimezone(self._plant.zone)
        shift, began = calendar.shift_at(moment, self._plant.shifts, self._plant.zone) or ("", moment)
        return _Hour(moment, local, shift, began, began.astimezone(self._plant.zone).weekday())

    def _random(self, number: int, moment: datetime) -> Random:
        hour = int(moment.timestamp()) // 3600
        return Random((self._seed * 64 + number) * 10_000_000 + hour)  # noqa: S311 - invented data, no secret

    def _work(self, hour: _Hour, machine: Machine) -> tuple[Product, dict[str, Value]]:
        # The production day begins with the day shift.
        day = (hour.shift_start if hour.shift == "night" else hour.start).astimezone(self._plant.zone).date()
        line = self._lines.index(machine.line)
        run = (day.toordinal() + line) // _PRODUCT_RUN_DAYS
        product = self._products[(run * 3 + line) % len(self._products)]
        shifts = [shift.id for shift in self._plant.shifts]
        operator = f"OP{line * len(shifts) + shifts.index(hour.shift) + 1:02d}"
        lot = f"L{(day.toordinal() * len(self._lines) + line) % 10_000:04d}"
        names: dict[str, Value] = {
            "line": machine.line,
            "equipment": machine.id,
            "process": machine.process,
            "product": product.id,
            "lot": lot,
            "operator": operator,
            "shift": hour.shift,
        }
        return product, names

    def _produce(self, cell: _Cell, rows: dict[str, list[Row]]) -> float:
        """Add the hour of one machine to production, downtime and defect; return how many pieces it made."""
        hour, random = cell.hour, cell.random
        product, names = self._work(hour, cell.machine)
        if not cell.works:
            # A row all the same: that nothing was made is known, not missing.
            idle = dict.fromkeys(DATASETS["production"].measures[:10], 0.0)
            rows["production"].append(
                _row("production", cell.key, hour, {**names, "lot": None, "operator": None, **idle})
            )
            return 0.0
        setup = float(random.randint(10, 24)) if self._changes_over(hour, cell.machine) else 0.0
        downtime = 0.0
        stops = self._draw_stops(cell, 60.0 - setup)
        for i, (reason, minutes) in enumerate(stops):
            downtime += minutes
            values: dict[str, Value] = {**names, "reason": reason, "minutes": minutes}
            rows["downtime"].append(_row("downtime", f"{cell.key}|{i}", hour, values))
        runtime = 60.0 - setup - downtime
        speed = math.prod((1 - (1 - cause.speed) * strength for cause, strength in cell.causes), start=0.955)
        speed *= random.gauss(1.0, 0.015)
        total = float(math.floor(runtime * 60 * min(speed, 1.0) / product.ideal_cycle_s))
        by_reason = self._draw_defects(cell, total)
        defects = float(sum(by_reason.values()))
        for reason, count in by_reason.items():
            values = {**names, "reason": reason, "defect_qty": float(count)}
            rows["defect"].append(_row("defect", f"{cell.key}|{reason}", hour, values))
        scrap = min(float(math.floor(defects * 0.35 + random.random())), defects)
        plan = _SATURDAY_PLAN if hour.weekday == _SATURDAY else 1.0
        figures: dict[str, Value] = {
            "planned_qty": float(round(3600 * 0.88 * plan / product.ideal_cycle_s)),
            "total_qty": total,
            "good_qty": total - defects,
            "defect_qty": defects,
            "rework_qty": float(math.floor((defects - scrap) * 0.8)),
            "scrap_qty": scrap,
            "runtime_min": runtime,
            "downtime_min": downtime,
            "setup_min": setup,
            "stop_count": float(len(stops)),
            "ideal_cycle_s": product.ideal_cycle_s,
        }
        rows["production"].append(_row("production", cell.key, hour, {**names, **figures}))
        return total

    def _changes_over(self, hour: _Hour, machine: Machine) -> bool:
        if hour.shift != self._plant.shifts[0].id or hour.start != hour.shift_start:
            return False
        line = self._lines.index(machine.line)
        return (hour.local.date().toordinal() + line) % _PRODUCT_RUN_DAYS == 0

    def _draw_stops(self, cell: _Cell, room: float) -> list[tuple[str, float]]:
        factor = math.prod(1 + (cause.stop_factor - 1) * strength for cause, strength in cell.causes)
        special = next((cause.stop_reason for cause, _ in cell.causes if cause.stop_reason), "")
        found: list[tuple[str, float]] = []
        for chance in (0.16, 0.03):
            roll = cell.random.random()
            if roll >= chance * factor:
                continue
            # What the cause adds has its reason; the rest is as everywhere.
            drawn = cell.random.choices(self._stop_reasons, self._stop_weights)[0]
            reason = special if special and roll >= chance else drawn
            stop = self._stops[reason]
            minutes = float(round(cell.random.triangular(stop.shortest, stop.longest, stop.shortest * 1.4)))
            if sum(each for _, each in found) + minutes <= room - 2:
                found.append((reason, minutes))
        return found

    def _draw_defects(self, cell: _Cell, total: float) -> dict[str, int]:
        rate = cell.machine.defect_rate * cell.random.gauss(1.0, 0.12)
        found: dict[str, int] = {}
        for defect in self._model.defects:
            expected = total * rate * defect.weight / 100
            for cause, strength in cell.causes:
                if cause.reason == defect.reason:
                    # All that the cause adds has its reason.
                    expected += total * rate * (cause.defect_factor - 1) * strength
            count = int(expected + cell.random.random())
            if count:
                found[defect.reason] = count
        return found

    def _measure(self, cell: _Cell, made: float, rows: dict[str, list[Row]]) -> None:
        """Add the hour of one machine to energy and reading; meters and sensors never rest."""
        hour, machine, random = cell.hour, cell.machine, cell.random
        place: dict[str, Value] = {
            "line": machine.line,
            "equipment": machine.id,
            "process": machine.process,
            "shift": hour.shift,
        }
        leak = sum(cause.energy_kwh * strength for cause, strength in cell.causes)
        energy = round((3.2 + 0.17 * made) * random.gauss(1.0, 0.03) + leak, 3)
        metered: dict[str, Value] = {**place, "energy_kwh": energy, "co2_t": round(energy * _CO2_T_A_KWH, 6)}
        rows["energy"].append(_row("energy", cell.key, hour, metered))
        swing = math.sin((hour.local.hour - 9) / 24 * math.tau)
        for tag in machine.sensors:
            mean, daily, noise = _SENSORS[tag]
            value = mean + daily * swing + random.gauss(0, noise)
            if tag == "temperature":
                value += (6.0 if cell.works else -14.0) + sum(c.temperature * s for c, s in cell.causes)
            elif tag == "vibration" and cell.works:
                value = max(0.05, value) + sum(c.vibration * s for c, s in cell.causes)
            elif tag == "vibration":
                value = 0.3 + random.gauss(0, 0.03)
            reading: dict[str, Value] = {**place, "tag": tag, "quality": "good", "value": round(value, 4)}
            rows["reading"].append(_row("reading", f"{tag}|{cell.key}", hour, reading))

    def _count_stock(self, hour: _Hour, causes: list[tuple[Cause, float]], rows: dict[str, list[Row]]) -> None:
        """Add the stock of each product as it stands at local midnight."""
        for number, product in enumerate(self._products):
            random = self._random(len(self._model.machines) + number, hour.start)
            use = round(product.daily_use * random.gauss(1.0, 0.02))
            days = product.stock_days * (1 + 0.12 * math.sin(hour.local.date().toordinal() / 9 + number))
            for cause, strength in causes:
                if cause.product == product.id and cause.stock_days is not None:
                    days += (cause.stock_days - days) * strength
            values: dict[str, Value] = {
                "product": product.id,
                "stock_qty": float(round(days * use)),
                "safety_qty": float(round(product.daily_use * 3)),
                "daily_use_qty": float(use),
            }
            row = _row("inventory", f"{product.id}|{hour.start:%Y%m%d%H}", hour, values)
            rows["inventory"].append((row[0], row[1], None, None, *row[4:]))


def _row(dataset: str, key: str, hour: _Hour, values: dict[str, Value]) -> Row:
    minutes = values.get("minutes")
    length = timedelta(minutes=minutes) if isinstance(minutes, float) else _HOUR
    leading: Row = (key, hour.start, hour.start + length, hour.shift_start)
    return (*leading, *(values.get(column) for column in DATASETS[dataset].columns[len(leading) :]))


def _targets(model: SampleModel, plant: Plant, rows: dict[str, list[Row]]) -> tuple[TargetEntry, ...]:
    entries = {entry.target: entry for entry in (each.entry() for each in model.targets)}
    for shift in plant.shifts:
        target = Target(Dimension.SHIFT, shift.id)
        entries[target] = TargetEntry(target, shift.name, shift.aliases)
    at = DATASETS["production"].position("lot")
    for lot in sorted({str(row[at]) for row in rows["production"] if row[at] is not None}):
        entries.setdefault(Target(Dimension.LOT, lot), TargetEntry(Target(Dimension.LOT, lot)))
    return tuple(entries.values())


def pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into pieces that fit one transaction each."""
    while start < end:
        yield start, min(end, start + SPAN)
        start += SPAN
