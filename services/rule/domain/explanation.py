"""Explanations with gaps: `불량률 {defect_rate:%}이(가) 기준을 넘었습니다`.

A gap names an input, and after a colon its unit (UCUM, as in a column; `%` for a fraction shown as percent).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from services.rule.domain.model import Scalar
from services.wording import Language, LocalizedText, format_number, format_value, settle_particles

_GAP: Final = re.compile(r"\{([a-z][a-z0-9_]{0,63})(?::([^{}]{1,32}))?\}")
_WORDS: Final[Mapping[Language, Mapping[Scalar | None, str]]] = {
    "ko": {None: "알 수 없음", True: "예", False: "아니요"},
    "en": {None: "unknown", True: "yes", False: "no"},
}


def faults(text: LocalizedText, inputs: frozenset[str]) -> Iterator[tuple[Language, str]]:
    """Yield (language, what is wrong) of an explanation."""
    templates: tuple[tuple[Language, str], ...] = (("ko", text.ko), ("en", text.en))
    for language, template in templates:
        if not template.strip():
            yield language, "is empty; every text stands in both languages"
        for name, _ in _GAP.findall(template):
            if name not in inputs:
                yield language, f"{{{name}}} names no input"
        if re.search(r"[{}]", _GAP.sub("", template)):
            yield language, "a brace is not part of a gap like {defect_rate} or {defect_rate:%}"


def compile_text(text: LocalizedText) -> Callable[[Mapping[str, Scalar]], LocalizedText]:
    """Return what fills the gaps of a checked explanation."""
    korean, english = _split(text.ko), _split(text.en)

    def fill(values: Mapping[str, Scalar]) -> LocalizedText:
        return LocalizedText(
            settle_particles("".join(_piece(piece, values, "ko") for piece in korean)),
            "".join(_piece(piece, values, "en") for piece in english),
        )

    return fill


def _split(template: str) -> tuple[str | tuple[str, str | None], ...]:
    """Split a template into plain texts and gaps (name, unit)."""
    pieces: list[str | tuple[str, str | None]] = []
    end = 0
    for gap in _GAP.finditer(template):
        pieces += [template[end : gap.start()], (gap[1], gap[2])]
        end = gap.end()
    return (*pieces, template[end:])


def _piece(piece: str | tuple[str, str | None], values: Mapping[str, Scalar], language: Language) -> str:
    if isinstance(piece, str):
        return piece
    name, unit = piece
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return _WORDS[language][value]
    if isinstance(value, str):
        return value
    if unit is None:
        return format_number(value)
    return format_value(value, "1" if unit == "%" else unit, language)
