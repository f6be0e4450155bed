"""The product's own words, as the YAML files in `lexicon/` list them: shape only, reading them is an adapter's work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A surface with one meaning: `kind` is a section of the files (`metric`, `cue`, `period` ...)."""

    surface: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All terms, the misspellings that are read as something else, and words that are right as they stand."""

    terms: tuple[Term, ...]
    typos: Mapping[str, str]
    words: frozenset[str]
    settled: frozenset[str]  # metric words whose meaning no catalogue changes


# Section of a file -> kind of its terms.
KINDS: Mapping[str, str] = {
    "metrics": "metric",
    "dimensions": "dimension",
    "cues": "cue",
    "dialogue": "dialogue",
    "periods": "period",
    "grains": "grain",
    "charts": "chart",
    "reports": "report",
    "actions": "action",
    "schedules": "schedule",
    "shifts": "shift",
}


def vocabulary(files: Iterable[Mapping[str, object]]) -> Vocabulary:
    """Put the files' contents together. Raises ValueError for a section or a word that is not what it should be."""
    terms: list[Term] = []
    typos: dict[str, str] = {}
    lists: dict[str, set[str]] = {"words": set(), "settled": set()}
    for content in files:
        for section, body in content.items():
            if section in lists:
                lists[section].update(_strings(section, body))
            elif not isinstance(body, Mapping):
                raise ValueError(f"section {section} is not a mapping")
            elif not all(isinstance(value, str) for value in body):
                raise ValueError(f"a name in section {section} is no text: {list(body)!r}")
            elif section == "typos":
                typos |= {wrong: right for right, wrongs in body.items() for wrong in _strings(section, wrongs)}
            elif section in KINDS:
                kind = KINDS[section]
                terms += [Term(s, kind, value) for value, surfaces in body.items() for s in _strings(section, surfaces)]
            else:
                raise ValueError(f"unknown section {section}")
    return Vocabulary(tuple(terms), typos, frozenset(lists["words"]), frozenset(lists["settled"]))


def _strings(section: str, body: object) -> list[str]:
    # YAML reads a bare `on` or `no` as a truth value; that must not slip through as the word "False".
    if not isinstance(body, list) or not all(isinstance(word, str) for word in body):
        raise ValueError(f"a list in section {section} holds something else than texts: {body!r}")
    return body
