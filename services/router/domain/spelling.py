"""Slips of the keyboard, mended before anything is read, with a map back to what stood there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_WORD = re.compile(r"[a-z]{5,24}")
_MIN_LENGTH = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """The text that the grammars see. `origin[i]` is the offset in the utterance of its i-th character.

    `origin` has one more entry than `text`: the length of the utterance.
    """

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` stands in the utterance."""
        return self.origin[start], max(self.origin[start], self.origin[end])


@dataclass(frozen=True, slots=True)
class Speller:
    """Mends listed misspellings, and English words of five letters on that one slip parts from a known word."""

    typos: Mapping[str, str]
    known: frozenset[str]
    near: Mapping[str, str | None]  # a known word less one letter -> that word, None where two would do
    pattern: re.Pattern[str] | None = field(default=None)

    def read(self, lower: str) -> Reading:
        """Return the mended reading of a lower-case utterance."""
        edits = sorted(self._edits(lower))
        if not edits:
            return Reading(lower, tuple(range(len(lower) + 1)))
        text: list[str] = []
        origin: list[int] = []
        at = 0
        for start, end, right in edits:
            if start < at:
                continue
            text += [lower[at:start], right]
            origin += range(at, start)
            # Inside a mended word positions are stretched; its ends are exact, which is what spans need.
            origin += [start + min(i, end - start) for i in range(len(right))]
            at = end
        text.append(lower[at:])
        origin += range(at, len(lower) + 1)
        return Reading("".join(text), tuple(origin))

    def _edits(self, lower: str) -> Iterable[tuple[int, int, str]]:
        if self.pattern is not None:
            for found in self.pattern.finditer(lower):
                yield found.start(), found.end(), self.typos[found[0]]
        for found in _WORD.finditer(lower):
            right = self._nearest(found[0])
            if right is not None:
                yield found.start(), found.end(), right

    def _nearest(self, word: str) -> str | None:
        if word in self.known or (word.endswith("s") and word[:-1] in self.known):  # a plural is no slip
            return None
        candidates = {self.near[key] for key in (word, *_deletions(word)) if key in self.near}
        candidates.discard(None)
        close = {c for c in candidates if c is not None and _one_slip(word, c)}
        return close.pop() if len(close) == 1 else None


def speller(typos: Mapping[str, str], known: Iterable[str], words: Iterable[str]) -> Speller:
    """Build a speller that mends towards `known` and leaves `words` alone."""
    targets = {word for word in known if len(word) >= _MIN_LENGTH and word.isascii() and word.isalpha()}
    near: dict[str, str | None] = {}
    for word in sorted(targets):
        for key in (word, *_deletions(word)):
            near[key] = word if near.get(key, word) == word else None
    near |= {word: word for word in targets}
    pattern = _any_of(typos) if typos else None
    return Speller(typos, frozenset(targets | set(words)), near, pattern)


def _any_of(typos: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(typos, key=len, reverse=True)
    # Where no first character fits, none of the words is tried.
    heads = "".join(sorted({re.escape(typo[0]) for typo in longest_first}))
    return re.compile(f"(?=[{heads}])(?:" + "|".join(map(re.escape, longest_first)) + ")")


def _deletions(word: str) -> list[str]:
    return [word[:i] + word[i + 1 :] for i in range(len(word))]


def _one_slip(wrong: str, right: str) -> bool:
    """Say whether one letter was added, lost, changed or swapped with its neighbour."""
    if abs(len(wrong) - len(right)) > 1 or wrong == right:
        return False
    head = next((i for i, (a, b) in enumerate(zip(wrong, right, strict=False)) if a != b), min(len(wrong), len(right)))
    a, b = wrong[head:], right[head:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and len(b) > 1 and a[2:] == b[2:])
