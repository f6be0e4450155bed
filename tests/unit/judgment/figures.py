"""Figures as golden cases write them: a metric, and rows."""

from datetime import datetime
from typing import Any

from services.judgment.domain.model import (
    Column,
    Direction,
    Figures,
    Kind,
    Metric,
    Policy,
    RuleHit,
    RuleVerdict,
    RuleVerdicts,
    Severity,
    Source,
    Task,
    Window,
)
from services.wording import LocalizedText

NAMES = {
    "defect_rate": ("불량률", "Defect rate"),
    "oee": ("OEE", "OEE"),
    "downtime": ("비가동 시간", "Downtime"),
    "production_qty": ("생산량", "Production"),
    "energy": ("전력 사용량", "Energy"),
    "temperature": ("온도", "Temperature"),
}


def task(given: dict[str, Any]) -> Task:
    windows = tuple(
        Window(datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"]), each.get("label", ""))
        for each in given.get("windows", [])
    )
    return Task(
        Kind(given["kind"]),
        given["metric"],
        Policy(given.get("policy", "")),
        given.get("rule_set", ""),
        given.get("descending", False),
        given.get("top_n", 0),
        windows,
    )


def figures(given: dict[str, Any]) -> Figures:
    """`columns` name the cells of `rows`; `metric` describes the one that decides."""
    rows: list[list[Any]] = given["rows"]
    columns = tuple(
        Column(name, LocalizedText(name, name), given.get("units", {}).get(name, ""), _cells(rows, index))
        for index, name in enumerate(given["columns"])
    )
    described = given.get("metric", {})
    sources: tuple[Source, ...] = ()
    if described:
        metric = Metric(
            described["id"],
            LocalizedText(*NAMES[described["id"]]),
            described.get("unit", ""),
            Direction(described.get("direction", "")),
            described.get("additive", False),
            described.get("target"),
            "production",
        )
        sources = (Source(metric, described.get("row_count", 100)),)
    return Figures(columns, len(rows), sources, given.get("stale", False), given.get("truncated", False))


def verdicts(given: list[dict[str, Any]] | None) -> RuleVerdicts | None:
    if given is None:
        return None
    return RuleVerdicts(
        tuple(
            RuleVerdict(
                Severity(each["severity"]),
                tuple(
                    RuleHit(hit["rule"], Severity(hit["severity"]), LocalizedText(**hit["says"]))
                    for hit in each.get("hits", [])
                ),
                tuple(each.get("missing", [])),
            )
            for each in given
        ),
        "ruleSets/x@3:abc",
    )


def _cells(rows: list[list[Any]], index: int) -> tuple[Any, ...]:
    cells = (row[index] for row in rows)
    return tuple(float(cell) if isinstance(cell, int) else cell for cell in cells)
