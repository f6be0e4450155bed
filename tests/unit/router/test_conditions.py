"""Thresholds, changes, and the clauses they stand in."""

import pytest

from services.router.domain.conditions import find_clause, find_conditions


@pytest.mark.parametrize(
    ("text", "sign", "value", "unit"),
    [
        ("진동이 5를 초과하면", ">", 5, ""),
        ("불량률 3% 넘으면", ">", 0.03, "%"),
        ("온도 80도 이상이면", ">=", 80, "도"),
        ("재고가 1,500개 미만으로", "<", 1500, "개"),
        ("3.5 이하", "<=", 3.5, ""),
        ("2프로 넘으면", ">", 0.02, "%"),
        ("exceeds 5", ">", 5, ""),
        ("goes above 3%", ">", 0.03, "%"),
        ("drops below 95 percent", "<", 0.95, "%"),
        ("at least 80 degrees", ">=", 80, "degrees"),
        (">= 5", ">=", 5, ""),
        ("reaches 100", ">=", 100, ""),
    ],
)
def test_thresholds(text: str, sign: str, value: float, unit: str) -> None:
    (found,) = find_conditions(text, [])
    assert (found.condition.comparator, found.condition.value, found.condition.unit) == (sign, value, unit)
    assert found.threshold


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10% 올리면", 0.1),
        ("2초 줄이면", -2),
        ("5도 낮추면", -5),
        ("두 명 말고 3명 추가하면", 3),
        ("cycle time falls by 2 s", -2),
        ("up by 10%", 0.1),
        ("run 20% faster", 0.2),
        ("10% less", -0.1),
    ],
)
def test_changes(text: str, value: float) -> None:
    (found,) = find_conditions(text, [])
    assert found.condition.relative
    assert found.condition.value == pytest.approx(value)


def test_dates_and_targets_are_no_thresholds() -> None:
    assert find_conditions("3 이상", [(0, 1)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "야간조를 없애면",
        "2라인 멈추면 문자 줘",
        "고장났을 때",
        "if line 1 stops",
        "whenever it stops",
        "suppose it falls",
    ],
)
def test_clauses(text: str) -> None:
    assert find_clause(text)


@pytest.mark.parametrize(
    "text",
    ["화면 보여줘", "그러면 어제는", "이대로 가면", "이 추세면", "when will it stop", "전년에 비하면", "what is it"],
)
def test_no_clauses(text: str) -> None:
    assert find_clause(text) is None
