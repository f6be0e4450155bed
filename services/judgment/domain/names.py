"""What people call the things that are judged. The table has ids only, so the kind stands beside them."""

from collections.abc import Mapping
from typing import Final

from services.judgment.domain.model import Metric, Severity
from services.judgment.domain.rows import Row
from services.wording import Language, format_period

# `{}` is the id: Korean, English.
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "line": ("{} 라인", "line {}"),
    "equipment": ("{} 설비", "machine {}"),
    "process": ("{} 공정", "process {}"),
    "product": ("{} 제품", "product {}"),
    "lot": ("로트 {}", "lot {}"),
    "operator": ("작업자 {}", "operator {}"),
    "shift": ("{} 근무조", "the {} shift"),
    "reason": ("{}", "{}"),
    "category": ("{}", "{}"),
}
_SHIFTS: Final[Mapping[str, str]] = {
    "shift:day": "주간조",
    "shift:evening": "오후조",
    "shift:night": "야간조",
}
_SEVERITIES: Final[Mapping[Severity, tuple[str, str]]] = {
    Severity.NORMAL: ("정상", "normal"),
    Severity.WARNING: ("주의", "warning"),
    Severity.CRITICAL: ("위험", "critical"),
    Severity.UNKNOWN: ("판단 불가", "unknown"),
}
# How figures of a unit compare: (higher, highest, lower, lowest) in Korean and English.
_HEIGHT: Final = (("높습니다", "높은", "낮습니다", "낮은"), ("higher", "highest", "lower", "lowest"))
_AMOUNT: Final = (("많습니다", "많은", "적습니다", "적은"), ("higher", "highest", "lower", "lowest"))
_LENGTH: Final = (("깁니다", "긴", "짧습니다", "짧은"), ("longer", "longest", "shorter", "shortest"))
_TIMES: Final = frozenset({"s", "min", "h", "d"})
_AMOUNTS: Final = frozenset({"", "kW.h", "MW.h", "t", "kg", "L", "m3"})


def target_name(target: str, language: Language) -> str:
    """Name a target: `line:L03` is L03 라인, line L03."""
    if language == "ko" and target in _SHIFTS:
        return _SHIFTS[target]
    kind, _, identifier = target.partition(":")
    pattern = _KINDS.get(kind, ("{}", "{}"))[0 if language == "ko" else 1]
    return pattern.format(identifier.replace("_", " ") if kind in {"reason", "category"} else identifier)


def row_name(row: Row, language: Language) -> str:
    """Name a row by its targets, its period where periods are compared, and its bucket; empty for the whole."""
    parts = [target_name(target, language) for target in row.targets]
    if row.period is not None:
        label = row.period.label or f"{row.period.start.date()}/{row.period.end.date()}"
        parts.append(format_period(label, language))
    if row.bucket:
        parts.append(row.bucket)
    return ", ".join(parts) if language == "en" else " ".join(parts)


def metric_name(metric: Metric, language: Language) -> str:
    """Name the metric as it stands inside a sentence; falls back to its id."""
    if language == "ko":
        return metric.name.ko or metric.id
    name = metric.name.en or metric.id.replace("_", " ")
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def severity_name(severity: Severity, language: Language) -> str:
    """Name a severity."""
    return _SEVERITIES[severity][0 if language == "ko" else 1]


def comparatives(unit: str, language: Language) -> tuple[str, str, str, str]:
    """Return the words for (higher, highest, lower, lowest) of figures in a unit."""
    words = _LENGTH if unit in _TIMES else _AMOUNT if unit in _AMOUNTS or unit.startswith("{") else _HEIGHT
    return words[0 if language == "ko" else 1]


def capitalised(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]
