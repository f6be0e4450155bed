"""Plants and results for tests of the orchestrator's pure domain, read from short YAML."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.orchestrator.domain.figures import (
    Cell,
    CodeResult,
    Column,
    ColumnType,
    DataResult,
    Evidence,
    Fact,
    Freshness,
    JudgedItem,
    JudgmentResult,
    MetricSource,
    RunResult,
    Severity,
    Table,
)
from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.meaning import AskBack, Classification, Intent, Slot, SlotOrigin, Target, Window
from services.orchestrator.domain.plant import (
    Aggregation,
    Catalog,
    Dimension,
    Direction,
    Grain,
    Metric,
    Plant,
    Shift,
)
from services.wording import format_change, format_value

SEOUL: Final = "+09:00"
_WORK: Final = ("line", "equipment", "process", "product", "lot", "operator", "shift")


def at(text: object) -> datetime:
    """Read a time on Seoul's wall clock: `2026-11-20` or `2026-11-20T15:30`."""
    return datetime.fromisoformat((f"{text}" if "T" in f"{text}" else f"{text}T00:00") + SEOUL)


def window(text: str, label: str = "", words: str = "") -> Window:
    """Read `2026-11-20/2026-11-21`."""
    start, end = text.split("/")
    return Window(at(start), at(end), label, words)


def _metric(  # noqa: PLR0917 - a row of a table
    metric_id: str,
    ko: str,
    en: str,
    unit: str,
    direction: str,
    aggregation: str,
    dataset: str,
    dimensions: Sequence[str],
    coverage: Window,
    target: float | None = None,
    finest: Grain = Grain.HOUR,
) -> Metric:
    return Metric(
        id=metric_id,
        display=Localized(ko, en),
        unit=unit,
        direction=Direction[direction],
        aggregation=Aggregation[aggregation],
        dataset=dataset,
        dimensions=tuple(Dimension(each) for each in dimensions),
        target=target,
        coverage=coverage,
        finest_grain=finest,
    )


def sample() -> Catalog:
    """Three lines, ten machines, four products, three shifts; 90 days up to 15:30 on Friday, 20 November 2026."""
    coverage = window("2026-08-22T15:30/2026-11-20T15:30")
    low, high, none = "LOWER_IS_BETTER", "HIGHER_IS_BETTER", "UNSPECIFIED"
    metrics = (
        _metric("production_qty", "생산량", "Production", "", high, "SUM", "production", _WORK, coverage),
        _metric("oee", "설비종합효율", "OEE", "1", high, "PRODUCT", "production", _WORK, coverage, 0.7),
        _metric("defect_rate", "불량률", "Defect rate", "1", low, "RATIO", "production", _WORK, coverage, 0.025),
        _metric("yield_rate", "수율", "Yield", "1", high, "RATIO", "production", _WORK, coverage, 0.95),
        _metric("downtime", "비가동 시간", "Downtime", "min", low, "SUM", "downtime", (*_WORK, "reason"), coverage),
        _metric("energy", "전력 사용량", "Energy use", "kW.h", low, "SUM", "reading", ("line", "equipment"), coverage),
        _metric("temperature", "온도", "Temperature", "Cel", none, "MEAN", "reading", ("line", "equipment"), coverage),
    )
    lines = [(f"line:L{n:02}", f"{n}라인", f"Line {n}") for n in (1, 2, 3)]
    machines = [(f"equipment:E{n:03}", f"{n}호기", f"Machine {n}") for n in range(1, 11)]
    products = [(f"product:PRD{n:03}", f"제품 {n}", f"Product {n}") for n in range(1, 5)]
    shifts = (
        Shift("day", Localized("주간조", "Day shift"), "06:00", "14:00"),
        Shift("evening", Localized("오후조", "Evening shift"), "14:00", "22:00"),
        Shift("night", Localized("야간조", "Night shift"), "22:00", "06:00"),
    )
    targets = tuple(Target(name, Localized(ko, en)) for name, ko, en in [*lines, *machines, *products])
    plant = Plant("sample", Localized("예시 공장", "Sample plant"), "Asia/Seoul", shifts, synthetic=True)
    line_of = {1: "L01", 2: "L01", 3: "L01", 4: "L02", 5: "L02", 6: "L02", 7: "L03", 8: "L03", 9: "L03", 10: "L03"}
    parents = {f"equipment:E{machine:03}": f"line:{line}" for machine, line in line_of.items()}
    return Catalog(plant, "v1", metrics, targets, ("humidity", "co2"), coverage, parents)


def bottling() -> Catalog:
    """A line of the past: downtime and batches of a few days around the end of August 2024, and nothing else."""
    coverage = window("2024-08-29T11:50/2024-09-03T21:35")
    dimensions = ("product", "lot", "operator", "reason")
    metrics = (
        _metric(
            "downtime", "비가동 시간", "Downtime", "min", "LOWER_IS_BETTER", "SUM", "downtime", dimensions, coverage
        ),
        _metric(
            "batch_count", "배치 수", "Batches", "", "UNSPECIFIED", "COUNT", "production", dimensions[:3], coverage
        ),
    )
    targets = (
        Target("operator:dee", Localized("Dee", "Dee")),
        Target("operator:mac", Localized("Mac", "Mac")),
        Target("product:CO-600", Localized("콜라 600 ml", "Cola 600 ml")),
        Target("lot:422111", Localized("422111", "422111")),
        Target("reason:machine_failure", Localized("설비 고장", "Machine failure")),
    )
    plant = Plant("bottling", Localized("음료 공장", "Bottling line"), "Asia/Seoul")
    return Catalog(plant, "v1", metrics, targets, ("defect_rate", "oee"), coverage)


PLANTS: Final = {"sample": sample, "bottling": bottling}


def slot(entry: Mapping[str, Any]) -> Slot:
    """Read `{metric: oee}`, `{period: today, in: 2026-11-20/2026-11-21, origin: DEFAULT, text: 오늘}`."""
    extras = {"in", "origin", "text"}
    name, value = next((key, value) for key, value in entry.items() if key not in extras)
    return Slot(
        name,
        str(value),
        entry.get("text", ""),
        origin=SlotOrigin[entry.get("origin", "STATED")],
        target=Target(str(value)) if name == "target" else None,
        window=window(entry["in"], str(value), entry.get("text", "")) if name == "period" else None,
        number=int(value) if name == "top_n" else None,
    )


def classification(entry: Mapping[str, Any]) -> Classification:
    """Read `{intent: CHECK, slots: [...], ask_back: {question: ..., missing: [...]}}`."""
    asked = entry.get("ask_back")
    intent = Intent[entry["intent"]]
    return Classification(
        intent,
        slots=tuple(slot(each) for each in entry.get("slots", ())),
        ask_back=AskBack(asked["question"], tuple(asked.get("missing", ())), (), intent) if asked else None,
    )


def table(entry: Mapping[str, Sequence[Any]]) -> Table:
    """Read columns by id; `time` holds times, texts are texts, null is no figure."""
    columns = []
    for column_id, raw in entry.items():
        cells: tuple[Cell, ...]
        if column_id == "time":
            kind, cells = ColumnType.TIME, tuple(at(each) for each in raw)
        elif any(isinstance(each, str) for each in raw):
            kind, cells = ColumnType.TEXT, tuple(raw)
        else:
            kind, cells = ColumnType.NUMBER, tuple(None if each is None else float(each) for each in raw)
        columns.append(Column(column_id, kind, cells))
    return Table(tuple(columns))


def result(entry: Mapping[str, Any], catalog: Catalog, as_of: datetime) -> RunResult:
    """Read a run's results: `table`, `facts`, `items`, `severity`, `latest`, `stale`."""
    latest = entry.get("latest")
    severity = Severity[entry.get("severity", "UNSPECIFIED")]
    figures = table(entry["table"])
    sources = tuple(
        MetricSource(metric.id, metric.dataset, 42) for metric in catalog.metrics if figures.column(metric.id)
    )
    fresh = Freshness(at(latest) if latest else None, entry.get("stale", False), as_of)
    facts = tuple(
        Fact(name, metric, None if isinstance(value, str) or value is None else float(value), text=str(value))
        for metric, named in entry.get("facts", {}).items()
        for name, value in named.items()
    )
    items = entry.get("items")
    judgment = None
    if items is not None:
        judgment = JudgmentResult("judgments/1", severity, tuple(_item(each) for each in items))
    return RunResult("runs/1", DataResult(figures, fresh, sources), judgment, CodeResult(facts, severity))


def _item(entry: Mapping[str, Any]) -> JudgedItem:
    value = entry.get("value")
    return JudgedItem(
        target=Target(entry["target"]) if "target" in entry else None,
        window=window(entry["in"], entry.get("label", "")) if "in" in entry else None,
        value=None if value is None else float(value),
        rank=entry.get("rank", 0),
        share=entry.get("share"),
        severity=Severity[entry.get("severity", "UNSPECIFIED")],
    )


_NUMBER: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_MONTH: Final = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_TIMES: Final = re.compile(
    rf"최근 \d+(?:일|시간|주|개월)|the last \d+ \w+|\d+년|\d+분기|\d+월|\d+일|\d+시|\d\d:\d\d"
    rf"|{_MONTH} \d+, \d{{4}}|{_MONTH} \d+|Q\d \d{{4}}|in \d{{4}}"
)


def numbers(text: str, names: Sequence[str]) -> list[float]:
    """Return the numbers of a text as a reader reads them, without those in names of things and of times."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, " ")
    return [float(found.replace(",", "")) for found in _NUMBER.findall(_TIMES.sub(" ", text))]


def shown(evidence: Sequence[Evidence]) -> set[float]:
    """Return what the figures of the evidence look like in a text."""
    figures = [(each.value, each.unit) for each in evidence] + [(each.threshold, each.unit) for each in evidence]
    texts = [
        write(value, unit, "en")
        for value, unit in figures
        if value is not None
        for write in (format_value, format_change)
    ]
    return {abs(number) for text in texts for number in numbers(text, ["m³", "m/s²"])}
