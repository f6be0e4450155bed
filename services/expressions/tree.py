"""The checked tree of an expression, read from the runtime's own serialisation.

A `google.protobuf.Any` with a `cel.expr.CheckedExpr`, in Protobuf wire form (field numbers of google/cel-spec
`checked.proto` and `syntax.proto`).
Only what the limits look at is read; ids, types and positions stay unread.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_ANY_VALUE: Final = 2  # google.protobuf.Any.value
_CHECKED_EXPR: Final = 4  # CheckedExpr.expr


class Kind(StrEnum):
    """Variants of `cel.expr.Expr`."""

    CONSTANT = "constant"
    IDENTIFIER = "identifier"
    SELECT = "select"
    CALL = "call"
    LIST = "list"
    MAP = "map"
    COMPREHENSION = "comprehension"


_KINDS: Final = {
    3: Kind.CONSTANT,
    4: Kind.IDENTIFIER,
    5: Kind.SELECT,
    6: Kind.CALL,
    7: Kind.LIST,
    8: Kind.MAP,
    9: Kind.COMPREHENSION,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `name` is the identifier, field or function; for a constant its text, where it is one.

    Children of a call: target first, if it has one. Of a comprehension: the range first, then initial value, condition,
    step and result.
    """

    kind: Kind
    name: str = ""
    children: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """Yield this node and all below it. The parser bounds the depth, so recursion is safe."""
        yield self
        for child in self.children:
            yield from child.walk()


def needs(node: Node) -> frozenset[str]:
    """Return the variables without any one of which the expression has no value, whatever the others hold.

    A variable that only one side of `||` or `&&`, one branch of `?:` or the body of a macro reads is not among them.
    """
    if node.kind is Kind.IDENTIFIER:
        return frozenset({node.name})
    below = [needs(child) for child in node.children]
    if node.name in {"_||_", "_&&_"} and node.kind is Kind.CALL:
        return frozenset.intersection(*below)
    if node.name == "_?_:_" and node.kind is Kind.CALL:
        return below[0] | (below[1] & below[2])
    if node.kind is Kind.COMPREHENSION:
        return below[0]
    return frozenset().union(*below)


def read(checked: bytes) -> Node:
    """Read what `serialize()` gave. Raises ValueError when it is something else."""
    for number, value in _fields(checked):
        if number == _ANY_VALUE:
            return next(_node(expression) for field, expression in _fields(value) if field == _CHECKED_EXPR)
    raise ValueError("no expression in the checked form")


def _node(message: bytes) -> Node:
    for number, value in _fields(message):
        if number in _KINDS:
            return _READERS[_KINDS[number]](value)
    raise ValueError("an expression without a kind")


def _constant(message: bytes) -> Node:
    text = next((value.decode() for number, value in _fields(message) if number == 6), "")  # noqa: PLR2004 - string_value
    return Node(Kind.CONSTANT, text)


def _identifier(message: bytes) -> Node:
    return Node(Kind.IDENTIFIER, _text(message, 1).removeprefix("."))  # `.x` is x, from the root


def _select(message: bytes) -> Node:
    return Node(Kind.SELECT, _text(message, 2), _nodes(message, 1))


def _call(message: bytes) -> Node:
    return Node(Kind.CALL, _text(message, 2), (*_nodes(message, 1), *_nodes(message, 3)))


def _list(message: bytes) -> Node:
    return Node(Kind.LIST, "", _nodes(message, 1))


def _map(message: bytes) -> Node:
    entries = [value for number, value in _fields(message) if number == 2]  # noqa: PLR2004 - entries
    return Node(Kind.MAP, "", tuple(node for entry in entries for node in (*_nodes(entry, 3), *_nodes(entry, 4))))


def _comprehension(message: bytes) -> Node:
    return Node(Kind.COMPREHENSION, "", tuple(node for number in (2, 4, 5, 6, 7) for node in _nodes(message, number)))


_READERS: Final = {
    Kind.CONSTANT: _constant,
    Kind.IDENTIFIER: _identifier,
    Kind.SELECT: _select,
    Kind.CALL: _call,
    Kind.LIST: _list,
    Kind.MAP: _map,
    Kind.COMPREHENSION: _comprehension,
}


def _nodes(message: bytes, field: int) -> tuple[Node, ...]:
    return tuple(_node(value) for number, value in _fields(message) if number == field)


def _text(message: bytes, field: int) -> str:
    return next((value.decode() for number, value in _fields(message) if number == field), "")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number, content) of the length-delimited fields; numbers are skipped."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                _, at = _varint(message, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(message, at)
                yield key >> 3, message[at : at + size]
                at += size
            case 5:
                at += 4
            case other:
                raise ValueError(f"wire type {other}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte has no continuation bit
            return value, at
        shift += 7
