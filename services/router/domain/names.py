"""How the things of a plant can be meant by number, letter or code: 3라인, line three, C라인, L03, LINE_C."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.router.domain.catalogue import Catalogue, Entry
from services.router.domain.model import Text

_CODE = re.compile(r"([A-Za-z]+)[-_]?(\d+)")
_TRAILING_NUMBER = re.compile(r"[^0-9]*?(\d+)")
_LETTER = re.compile(
    r"(?:line|machine|equipment|process|product|라인|설비|공정|제품)[ _-]?([a-z])"
    r"|([a-z])[ _-]?(?:line|machine|라인|호기|설비|공정|제품)"
)
# What ids look like where no catalogue says otherwise (domain.md 2.2).
_FALLBACK: Mapping[str, str] = {"line": "L{:02d}", "equipment": "E{:03d}", "process": "P{:03d}", "product": "PRD{:03d}"}
_FALLBACK_PREFIXES: Mapping[str, str] = {"l": "line", "e": "equipment", "p": "process", "prd": "product"}

KIND_NAMES: Mapping[str, Text] = {
    "line": Text("라인", "line"),
    "equipment": Text("설비", "machine"),
    "process": Text("공정", "process"),
    "product": Text("제품", "product"),
    "lot": Text("로트", "lot"),
    "operator": Text("작업자", "operator"),
    "shift": Text("교대조", "shift"),
    "reason": Text("사유", "reason"),
    "category": Text("구분", "category"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """Targets by what people say. All keys are lower case."""

    entries: Mapping[str, Entry]
    by_number: Mapping[tuple[str, int], str]  # ("line", 3) -> "line:L03"
    by_letter: Mapping[tuple[str, str], str]  # ("line", "c") -> "line:L03"
    by_code: Mapping[tuple[str, int], str]  # ("l", 3) -> "line:L03"
    kinds_of_prefix: Mapping[str, str]  # "l" -> "line"
    kinds: frozenset[str]
    known: bool  # the plant's catalogue was read

    def numbered(self, kind: str, number: int) -> tuple[str, bool]:
        """Return the target name for `3라인` and whether the plant has it.

        Where the plant has no such kind, or no catalogue is at hand, the name is a guess in the product's own form.
        """
        found = self.by_number.get((kind, number))
        if found is not None:
            return found, True
        form = _FALLBACK.get(kind, "{}")
        return f"{kind}:{form.format(number)}", kind not in self.kinds

    def lettered(self, kind: str, letter: str) -> tuple[str, bool] | None:
        """Return the target name for `C라인` and whether the plant has it, None where the letter is just a letter."""
        found = self.by_letter.get((kind, letter))
        if found is not None:
            return found, True
        if kind not in self.kinds and kind in _FALLBACK:
            return self.numbered(kind, ord(letter) - ord("a") + 1)
        return (f"{kind}:{letter.upper()}", False) if any(k == kind for k, _ in self.by_letter) else None

    def coded(self, prefix: str, number: int) -> tuple[str, bool] | None:
        """Return the target name for `L03` and whether the plant has it, None for a prefix that is no target's."""
        found = self.by_code.get((prefix, number))
        if found is not None:
            return found, True
        kind = self.kinds_of_prefix.get(prefix)
        return None if kind is None else self.numbered(kind, number)

    def of_kind(self, kind: str) -> list[Entry]:
        """Return the plant's targets of one kind, in the catalogue's order."""
        return [entry for entry in self.entries.values() if entry.kind == kind]


def names_of(catalogue: Catalogue) -> Names:
    """Index the catalogue's targets, shifts included."""
    by_number: dict[tuple[str, int], str] = {}
    by_letter: dict[tuple[str, str], str] = {}
    by_code: dict[tuple[str, int], str] = {}
    prefixes: dict[str, str] = {}
    entries = {entry.name: entry for entry in catalogue.targets}
    for shift in catalogue.shifts:
        entries.setdefault(f"shift:{shift.id}", Entry(f"shift:{shift.id}", shift.display, shift.aliases))
    for name, entry in entries.items():
        trailing = _TRAILING_NUMBER.fullmatch(entry.id)
        if trailing:
            by_number.setdefault((entry.kind, int(trailing[1])), name)
        code = _CODE.fullmatch(entry.id)
        if code:
            by_code.setdefault((code[1].lower(), int(code[2])), name)
            prefixes.setdefault(code[1].lower(), entry.kind)
        for alias in (entry.id, entry.display.ko, entry.display.en, *entry.aliases):
            letter = _LETTER.fullmatch(alias.lower())
            if letter:
                by_letter.setdefault((entry.kind, letter[1] or letter[2]), name)
    return Names(
        entries,
        by_number,
        by_letter,
        by_code,
        prefixes if catalogue.known else _FALLBACK_PREFIXES,
        frozenset(entry.kind for entry in entries.values()),
        catalogue.known,
    )
