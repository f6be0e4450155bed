"""Finds instants and durations in a request that no clock shows: nanoseconds below 0 or above a second.

protovalidate compares such values and never refuses them; reading one fails deep inside.
"""

import functools
from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.errors import FieldViolation

_INSTANT, _DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
_NANOS = 1_000_000_000
_DEEPEST = 16


def ill_formed(request: Message) -> tuple[FieldViolation, ...]:
    """Return one violation for each such value."""
    return tuple(
        FieldViolation(path, "has nanoseconds that are no part of a second", "instant.nanos")
        for path in _walk(request, "", _fields(request.DESCRIPTOR), 0)
    )


def _walk(message: Any, prefix: str, fields: tuple[FieldDescriptor, ...], depth: int) -> Iterator[str]:
    for field in fields:
        for path, value in _values(message, field):
            kind = value.DESCRIPTOR
            if kind.full_name == _INSTANT:
                if not 0 <= value.nanos < _NANOS:
                    yield prefix + path
            elif kind.full_name == _DURATION:
                if not -_NANOS < value.nanos < _NANOS:
                    yield prefix + path
            elif depth < _DEEPEST:
                yield from _walk(value, f"{prefix}{path}.", _fields(kind), depth + 1)


def _values(message: Any, field: FieldDescriptor) -> Iterator[tuple[str, Any]]:
    if field.is_repeated:
        for index, value in enumerate(getattr(message, field.name)):
            yield f"{field.name}[{index}]", value
    elif message.HasField(field.name):
        yield field.name, getattr(message, field.name)


@functools.cache
def _fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """Return the fields below which instants may stand; maps hold none in this contract."""
    return tuple(field for field in descriptor.fields if _leads(field, frozenset()))


def _leads(field: FieldDescriptor, seen: frozenset[str]) -> bool:
    kind = field.message_type
    if kind is None or kind.GetOptions().map_entry or kind.full_name in seen:
        return False
    inside = seen | {kind.full_name}
    return kind.full_name in {_INSTANT, _DURATION} or any(_leads(each, inside) for each in kind.fields)
