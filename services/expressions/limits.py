"""What an expression may cost, decided before it runs: the runtime cannot be stopped once it does.

Google's runtime itself stops at a nesting of 32 and at 10,000 iterations of macros in one evaluation; what is bounded
here is what those two let through. Measured: `map` and `filter` copy their result in each step (1,000 elements 26 ms,
10,000 elements 3.7 s), and twenty-eight chained `.map(s, s + s)` ask for a gigabyte.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.expressions.tree import Kind, Node

MAX_LENGTH: Final = 2048
MAX_BRACKETS: Final = 32
MAX_MACRO_NESTING: Final = 2
MAX_COPIES: Final = 256
MAX_PATTERN: Final = 256
MAX_REPETITION: Final = 100
MAX_COLLECTION: Final = 10_000
MAX_BUILDING_COLLECTION: Final = 1_000
MAX_VALUE_DEPTH: Final = 32

_NOT_TEXT: Final = re.compile("[\0\ud800-\udfff]")
_OPEN: Final = "([{"
_CLOSE: Final = ")]}"
_REPETITION: Final = re.compile(r"\{(\d*),?(\d*)\}")


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that an expression breaks; `position` is an offset into its text."""

    description: str
    position: int = 0


def check_text(source: str) -> Excess | None:
    """Check what can be seen before parsing: length, and the depth of brackets (those in texts count too)."""
    if len(source) > MAX_LENGTH:
        return Excess(f"an expression has at most {MAX_LENGTH} characters; this one has {len(source)}", MAX_LENGTH)
    unprintable = _NOT_TEXT.search(source)
    if unprintable is not None:
        return Excess("an expression has no NUL characters and no halves of surrogate pairs", unprintable.start())
    depth = 0
    for position, character in enumerate(source):
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth > MAX_BRACKETS:
            return Excess(f"brackets nest at most {MAX_BRACKETS} deep", position)
    return None


def check_tree(root: Node) -> Excess | None:
    """Check what only the tree shows: nesting of macros, growth of values, patterns."""
    if macro_nesting(root) > MAX_MACRO_NESTING:
        return Excess(f"macros (all, exists, exists_one, map, filter) nest at most {MAX_MACRO_NESTING} deep")
    if max(map(_copies, root.walk())) > MAX_COPIES:
        return Excess(f"a value would be copied more than {MAX_COPIES} times")
    for node in root.walk():
        if node.kind is Kind.CALL and node.name == "matches":
            excess = _check_pattern(node.children[-1])
            if excess is not None:
                return excess
    return None


def macro_nesting(node: Node) -> int:
    """Count how deep macros stand inside the bodies of macros. A chain `a.filter(..).map(..)` is not nested."""
    if node.kind is not Kind.COMPREHENSION:
        return max(map(macro_nesting, node.children), default=0)
    over, *body = node.children
    return max(macro_nesting(over), 1 + max(map(macro_nesting, body)))


def builds(root: Node) -> bool:
    """Say whether a macro builds a list (map, filter), which takes quadratic time."""
    return any(node.kind is Kind.COMPREHENSION and node.children[1].kind is Kind.LIST for node in root.walk())


def _copies(node: Node) -> int:
    """Bound how often the result holds the largest value that goes in. Constants are bounded by the text already."""
    below = [_copies(child) for child in node.children]
    if node.kind in {Kind.LIST, Kind.MAP} or node.name == "_+_":
        return sum(below)
    if node.kind is Kind.COMPREHENSION:
        return max(1, below[0]) * max(below[1:])
    if node.kind in {Kind.CONSTANT, Kind.SELECT} or node.name in {"_?_:_", "_[_]", "dyn"}:
        return max(below, default=0)
    if node.kind is Kind.IDENTIFIER and node.name.startswith("@"):
        return 0  # the accumulator of a macro
    return 1  # an identifier; every other function gives a number, a truth value or a text no longer than it reads


def _check_pattern(node: Node) -> Excess | None:
    if node.kind is not Kind.CONSTANT:
        return Excess("the pattern of matches() is a literal text")
    if len(node.name) > MAX_PATTERN:
        return Excess(f"the pattern of matches() has at most {MAX_PATTERN} characters")
    repetition = sum(int(most or least or 0) for least, most in _REPETITION.findall(node.name))
    if repetition > MAX_REPETITION:
        return Excess(f"the repetitions in the pattern of matches() add up to at most {MAX_REPETITION}")
    return None


def too_large(value: object, most: int, depth: int = 0) -> bool:
    """Say whether a value holds a collection of more than `most` elements, or nests more than 32 deep."""
    if isinstance(value, Mapping):
        items: Sequence[object] = list(value.values())
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        items = value
    else:
        return False
    if len(items) > most or depth > MAX_VALUE_DEPTH:
        return True
    return any(too_large(item, most, depth + 1) for item in items)
