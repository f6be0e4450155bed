"""Where severity turns, and what lowers the confidence."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Invalid, Reason
from services.judgment.domain.confidence import confidence
from services.judgment.domain.model import Direction, Figures, Metric, RuleHit, RuleVerdict, Severity
from services.judgment.domain.rows import arrange
from services.judgment.domain.severity import against_target, with_rules, worst
from services.wording import LocalizedText
from tests.unit.judgment.figures import figures, task

LOWER = Metric("defect_rate", LocalizedText(), "1", Direction.LOWER, target=0.03)
HIGHER = Metric("oee", LocalizedText(), "1", Direction.HIGHER, target=0.84)


@pytest.mark.parametrize(
    ("metric", "value", "severity"),
    [
        (LOWER, 0.03, Severity.NORMAL),
        (LOWER, 0.0300001, Severity.WARNING),
        (LOWER, 0.03 * 1.5, Severity.WARNING),
        (LOWER, 0.0450001, Severity.CRITICAL),
        (LOWER, None, Severity.UNKNOWN),
        (HIGHER, 0.84, Severity.NORMAL),
        (HIGHER, 0.8399, Severity.WARNING),
        (HIGHER, 0.84 / 1.5, Severity.WARNING),
        (HIGHER, 0.5599, Severity.CRITICAL),
        (replace(LOWER, target=0.0), 0.0, Severity.NORMAL),
        (replace(LOWER, target=0.0), 0.001, Severity.CRITICAL),
        (replace(LOWER, target=None), 0.9, Severity.UNSPECIFIED),
        (replace(LOWER, direction=Direction.NEITHER), 0.9, Severity.UNSPECIFIED),
        (replace(LOWER, target=None), None, Severity.UNKNOWN),
    ],
)
def test_against_the_target(metric: Metric, value: float | None, severity: Severity) -> None:
    assert against_target(value, metric) is severity


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from([Direction.LOWER, Direction.HIGHER]))
def test_a_worse_figure_is_never_judged_milder(value: float, target: float, direction: Direction) -> None:
    metric = Metric("m", LocalizedText(), direction=direction, target=target, unit="")
    step = 1.0 if direction is Direction.LOWER else -1.0
    worse = against_target(value + step, metric)
    assert worst([worse, against_target(value, metric)]) is worse


def hit(severity: Severity) -> RuleVerdict:
    return RuleVerdict(severity, (RuleHit("r", severity, LocalizedText("가", "a")),))


@pytest.mark.parametrize(
    ("target", "rules", "severity"),
    [
        (Severity.NORMAL, None, Severity.NORMAL),
        (Severity.NORMAL, hit(Severity.CRITICAL), Severity.CRITICAL),
        (Severity.CRITICAL, hit(Severity.WARNING), Severity.CRITICAL),
        (Severity.WARNING, RuleVerdict(Severity.NORMAL), Severity.WARNING),
        (Severity.NORMAL, RuleVerdict(Severity.UNKNOWN), Severity.UNKNOWN),
        (Severity.CRITICAL, RuleVerdict(Severity.UNKNOWN), Severity.CRITICAL),
        (Severity.UNSPECIFIED, RuleVerdict(Severity.NORMAL), Severity.NORMAL),
        (Severity.UNKNOWN, hit(Severity.CRITICAL), Severity.CRITICAL),
    ],
)
def test_target_and_rules_together(target: Severity, rules: RuleVerdict | None, severity: Severity) -> None:
    assert with_rules(target, rules) is severity


COMPARE = {"kind": "comparison", "metric": "oee"}
GOOD = {
    "metric": {"id": "oee", "unit": "1", "direction": "higher", "target": 0.85, "row_count": 100},
    "columns": ["line", "oee"],
    "rows": [["L01", 0.2], ["L02", 0.25]],
}


def sure(given: Figures) -> float:
    arranged = arrange(task(COMPARE), given)
    return confidence(arranged, given, [None] * len(arranged.rows))


def test_the_confidence_is_the_documented_sum() -> None:
    assert sure(figures(GOOD)) == round(0.4 * 1 + 0.3 * 1 + 0.3 * 0.75, 3)


def test_what_is_wrong_with_the_data_lowers_the_confidence() -> None:
    best = sure(figures(GOOD))
    for fault in (
        {"stale": True},
        {"truncated": True},
        {"rows": [["L01", 0.2], ["L02", None]]},
        {"metric": {**GOOD["metric"], "row_count": 2}},  # type: ignore[dict-item]
        {"rows": [["L01", 0.84], ["L02", 0.2]]},
    ):
        assert sure(figures(GOOD | fault)) < best
    assert sure(figures(GOOD | {"rows": []})) == 0


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=6), st.integers(0, 10**9))
def test_the_confidence_is_one_whatever_the_figures(values: list[float | None], row_count: int) -> None:
    rows = [[f"L{index}", value] for index, value in enumerate(values)]
    described = {**GOOD["metric"], "row_count": row_count}  # type: ignore[dict-item]
    assert 0 <= sure(figures({**GOOD, "rows": rows, "metric": described})) <= 1


@pytest.mark.parametrize("metric", ["yield_rate", "line", "time"])
def test_a_metric_that_is_no_column_of_numbers_is_unknown(metric: str) -> None:
    with pytest.raises(Invalid) as refusal:
        arrange(task({"kind": "comparison", "metric": metric}), figures(GOOD))
    assert refusal.value.reason is Reason.UNKNOWN_METRIC
    assert refusal.value.metadata == {"metric": metric, "known": "oee"}
