"""Holds requests to the limits that stand in the proto."""

from collections.abc import Iterable
from typing import Any

import protovalidate

from services import errors
from services.chassis.instants import ill_formed
from services.chassis.interceptors.rpc import Rpc, Unreadable
from services.errors import FieldViolation


class Validate:
    """Refuses requests that cannot be read or break a rule, naming each field."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    def prepare(self, request_type: Any) -> None:
        """Compile the rules of a request type now: a rule that does not compile must stop the start, not a caller."""
        self._validator.collect_violations(request_type())

    def enter(self, rpc: Rpc) -> None:
        """Check the request. Raises Invalid."""
        if rpc.request is not None:
            self.check(rpc.request)

    def check(self, request: Any) -> None:
        """Check one message. Raises Invalid with MALFORMED_REQUEST or with a violation for each field."""
        if isinstance(request, Unreadable):
            raise request.error
        if isinstance(request, bytes):  # of a method that nobody serves: it will be refused for that
            return
        violations = ill_formed(request) or tuple(
            _violation(each.proto) for each in self._validator.collect_violations(request)
        )
        if violations:
            raise errors.Invalid(_summary(violations), violations=violations)

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:  # noqa: ARG002
        """Nothing is left to do."""
        return error


def _summary(violations: tuple[FieldViolation, ...]) -> str:
    first = violations[0]
    more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
    return f"{first.field or 'request'}: {first.description}{more}"


def _violation(proto: Any) -> FieldViolation:
    return FieldViolation(_path(proto.field.elements) if proto.field else "", proto.message, proto.rule_id)


def _path(elements: Iterable[Any]) -> str:
    """Write a field path the way people do: `items[2].labels["line"]`."""
    parts: list[str] = []
    for element in elements:
        subscript = element.subscript
        text = ""
        if subscript is not None:
            value = subscript.value
            text = f'["{value}"]' if isinstance(value, str) else f"[{str(value).lower()}]"
        parts.append(f"{element.field_name}{text}")
    return ".".join(parts)
