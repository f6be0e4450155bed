"""`services.errors` on the wire: to `google.rpc.Status` with its details on the way out, and back on the way in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from services import errors
from services.chassis.messages import TEXTS
from services.errors import FactoryError, FieldViolation, Reason

DOMAIN = "factory-ai.com"
DETAILS_KEY = "grpc-status-details-bin"
# Clients refuse trailers over 8 KiB by default, and base64 adds a third.
MAX_STATUS_BYTES = 4096
MAX_VIOLATIONS = 20
# Bytes of UTF-8: a Korean letter takes three, and nine where gRPC percent-encodes the message.
MAX_TEXT = 256
MAX_MESSAGE = 512
MAX_METADATA = 4

_CODES: dict[type[FactoryError], grpc.StatusCode] = {
    errors.Invalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.Cancelled: grpc.StatusCode.CANCELLED,
    errors.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    errors.Internal: grpc.StatusCode.INTERNAL,
    FactoryError: grpc.StatusCode.INTERNAL,
}
_CLASSES: dict[grpc.StatusCode, type[FactoryError]] = {
    code: family for family, code in _CODES.items() if family is not FactoryError
} | {grpc.StatusCode.OUT_OF_RANGE: errors.Invalid}
_REASONS = {reason.value: reason for reason in Reason}

D = TypeVar("D", bound=Message)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An error as gRPC sends it: code, message, and the serialized `google.rpc.Status` for the trailer."""

    code: grpc.StatusCode
    message: str
    status: bytes


def code_of(error: FactoryError) -> grpc.StatusCode:
    """Return the gRPC code of an error's family."""
    return next(_CODES[family] for family in type(error).__mro__ if family in _CODES)


def encode(error: FactoryError, request_id: str, language: str) -> Encoded:
    """Encode for the wire. Of our own bugs nothing leaves but the request id.

    `language` "ko" or "en" chooses the LocalizedMessage; any other gets both.
    """
    code = code_of(error)
    internal = code is grpc.StatusCode.INTERNAL
    reason = Reason.INTERNAL if internal else error.reason
    message = "internal error" if internal else _cut(error.message, MAX_MESSAGE)
    metadata = {} if internal else _metadata(error)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=reason.value, domain=DOMAIN, metadata=metadata),
        error_details_pb2.RequestInfo(request_id=request_id),
        *_localized(reason, language),
    ]
    if error.retry_after is not None and not internal:
        details.append(error_details_pb2.RetryInfo(retry_delay=_duration(error.retry_after)))
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.extend(_packed(details))
    if error.violations and not internal:
        room = MAX_STATUS_BYTES - status.ByteSize()
        status.details.extend(_packed([_bad_request(error.violations, room)]))
    return Encoded(code, message, status.SerializeToString())


def decode(code: grpc.StatusCode, message: str, status: bytes | None, service: str) -> FactoryError:
    """Decode what `service` answered. Without details, as from gRPC itself, the code decides."""
    found = status_pb2.Status()
    if status:
        try:
            found.ParseFromString(status)
        except DecodeError:
            found.Clear()
    info = _detail(found, error_details_pb2.ErrorInfo())
    if info is None or info.domain != DOMAIN:
        return _bare(code, message, service)
    family = _CLASSES.get(code, errors.Internal)
    retry = _detail(found, error_details_pb2.RetryInfo())
    bad_request = _detail(found, error_details_pb2.BadRequest())
    return family(
        found.message or message,
        reason=_REASONS.get(info.reason, _bare(code, "", service).reason),
        metadata=dict(info.metadata),
        violations=tuple(
            FieldViolation(each.field, each.description, each.reason) for each in bad_request.field_violations
        )
        if bad_request is not None
        else (),
        retry_after=_seconds(retry.retry_delay) if retry is not None else None,
    )


def _bare(code: grpc.StatusCode, message: str, service: str) -> FactoryError:
    """Say in our words what gRPC itself said: it could not connect, or refused before a servicer saw the call."""
    family = _CLASSES.get(code, errors.Internal)
    if code is grpc.StatusCode.UNAVAILABLE:
        return errors.Unavailable(f"{service} is out of reach", metadata={"dependency": service})
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in message:
        return errors.Overloaded(message, reason=Reason.REQUEST_TOO_LARGE, retry_after=None)
    return family(message or f"{service} answered {code.name}")


def _bad_request(violations: Iterable[FieldViolation], room: int) -> error_details_pb2.BadRequest:
    bad_request = error_details_pb2.BadRequest()
    for violation in list(violations)[:MAX_VIOLATIONS]:
        bad_request.field_violations.add(
            field=_cut(violation.field, MAX_TEXT),
            description=_cut(violation.description, MAX_TEXT),
            reason=_cut(violation.rule, MAX_TEXT),
        )
    envelope = 80
    while bad_request.ByteSize() + envelope > room and len(bad_request.field_violations) > 1:
        del bad_request.field_violations[-1]
    return bad_request


def _localized(reason: Reason, language: str) -> list[Message]:
    text = TEXTS[reason]
    ko = error_details_pb2.LocalizedMessage(locale="ko", message=text.ko)
    en = error_details_pb2.LocalizedMessage(locale="en", message=text.en)
    return {"ko": [ko], "en": [en]}.get(language, [ko, en])


def _packed(details: Iterable[Message]) -> list[Any]:
    packed = []
    for detail in details:
        box = Any()
        box.Pack(detail)
        packed.append(box)
    return packed


def _detail(status: status_pb2.Status, wanted: D) -> D | None:
    for box in status.details:
        if box.Is(wanted.DESCRIPTOR):
            box.Unpack(wanted)
            return wanted
    return None


def _duration(seconds: float) -> Duration:
    whole = math.floor(max(0.0, seconds))
    return Duration(seconds=whole, nanos=int((max(0.0, seconds) - whole) * 1e9))


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9


def _metadata(error: FactoryError) -> dict[str, str]:
    return {_cut(key, 64): _cut(value, MAX_MESSAGE) for key, value in list(error.metadata.items())[:MAX_METADATA]}


def _cut(text: str, limit: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[: limit - 3].decode(errors="ignore") + "…"
