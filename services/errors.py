"""The one error family. Pure: no grpc, no Protobuf, no driver.

Domain code raises these; the chassis turns them into `google.rpc.Status` on the way out and back into
these on the way in, so that a caller on either side of a socket writes `except NotFound`.

`reason` is the name of a value of `factoryai.errors.v1.ErrorReason`; a structure test holds `Reason` to the proto.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a call failed, word for word as in `error_reason.proto` (which documents each)."""

    INVALID_ARGUMENT = "ERROR_REASON_INVALID_ARGUMENT"
    MALFORMED_REQUEST = "ERROR_REASON_MALFORMED_REQUEST"
    REQUEST_TOO_LARGE = "ERROR_REASON_REQUEST_TOO_LARGE"
    UNAUTHENTICATED = "ERROR_REASON_UNAUTHENTICATED"
    TOKEN_EXPIRED = "ERROR_REASON_TOKEN_EXPIRED"  # noqa: S105 - the name of a reason, no secret
    PERMISSION_DENIED = "ERROR_REASON_PERMISSION_DENIED"
    NOT_FOUND = "ERROR_REASON_NOT_FOUND"
    UNKNOWN_PLANT = "ERROR_REASON_UNKNOWN_PLANT"
    UNKNOWN_METRIC = "ERROR_REASON_UNKNOWN_METRIC"
    UNKNOWN_TARGET = "ERROR_REASON_UNKNOWN_TARGET"
    DATA_NOT_AVAILABLE = "ERROR_REASON_DATA_NOT_AVAILABLE"
    ALREADY_EXISTS = "ERROR_REASON_ALREADY_EXISTS"
    REQUEST_ID_REUSED = "ERROR_REASON_REQUEST_ID_REUSED"
    FAILED_PRECONDITION = "ERROR_REASON_FAILED_PRECONDITION"
    INVALID_STATE = "ERROR_REASON_INVALID_STATE"
    INVALID_PAGE_TOKEN = "ERROR_REASON_INVALID_PAGE_TOKEN"  # noqa: S105 - the name of a reason, no secret
    INVALID_DEFINITION = "ERROR_REASON_INVALID_DEFINITION"
    INVALID_PLAN = "ERROR_REASON_INVALID_PLAN"
    INVALID_EXPRESSION = "ERROR_REASON_INVALID_EXPRESSION"
    INVALID_RULE_SET = "ERROR_REASON_INVALID_RULE_SET"
    NO_BRANCH_TAKEN = "ERROR_REASON_NO_BRANCH_TAKEN"
    IMPORT_REJECTED = "ERROR_REASON_IMPORT_REJECTED"
    CONFLICT = "ERROR_REASON_CONFLICT"
    OVERLOADED = "ERROR_REASON_OVERLOADED"
    DEPENDENCY_UNAVAILABLE = "ERROR_REASON_DEPENDENCY_UNAVAILABLE"
    SHUTTING_DOWN = "ERROR_REASON_SHUTTING_DOWN"
    DEADLINE_EXCEEDED = "ERROR_REASON_DEADLINE_EXCEEDED"
    CANCELLED = "ERROR_REASON_CANCELLED"
    UNIMPLEMENTED = "ERROR_REASON_UNIMPLEMENTED"
    INTERNAL = "ERROR_REASON_INTERNAL"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field that was refused: `field` is its dotted path in the request, `rule` the id of the broken rule."""

    field: str
    description: str
    rule: str = ""


@dataclass(eq=False)
class FactoryError(Exception):
    """A failure that a caller can act on.

    `message` is one English sentence for developers; people are shown the localised text of `reason`.
    `metadata` holds the keys that `error_reason.proto` names for the reason. `retry_after` is in seconds.
    """

    message: str
    reason: Reason = Reason.INTERNAL
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[FieldViolation] = ()
    retry_after: float | None = None

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class Invalid(FactoryError):
    """INVALID_ARGUMENT: the request is wrong whatever the state of the system."""

    reason: Reason = Reason.INVALID_ARGUMENT


@dataclass(eq=False)
class Unauthenticated(FactoryError):
    """UNAUTHENTICATED: no token, or one that does not verify."""

    reason: Reason = Reason.UNAUTHENTICATED


@dataclass(eq=False)
class PermissionDenied(FactoryError):
    """PERMISSION_DENIED: the principal is known and may not do this."""

    reason: Reason = Reason.PERMISSION_DENIED


@dataclass(eq=False)
class NotFound(FactoryError):
    """NOT_FOUND: no such resource in the caller's tenant."""

    reason: Reason = Reason.NOT_FOUND


@dataclass(eq=False)
class AlreadyExists(FactoryError):
    """ALREADY_EXISTS: the id is taken, or a request_id came back with another body."""

    reason: Reason = Reason.ALREADY_EXISTS


@dataclass(eq=False)
class FailedPrecondition(FactoryError):
    """FAILED_PRECONDITION: the system's state does not allow this; a retry alone changes nothing."""

    reason: Reason = Reason.FAILED_PRECONDITION


@dataclass(eq=False)
class Conflict(FactoryError):
    """ABORTED: somebody else was faster; read again and retry."""

    reason: Reason = Reason.CONFLICT


@dataclass(eq=False)
class Overloaded(FactoryError):
    """RESOURCE_EXHAUSTED: refused at once; retry after `retry_after` seconds."""

    reason: Reason = Reason.OVERLOADED
    retry_after: float | None = 1.0


@dataclass(eq=False)
class Unavailable(FactoryError):
    """UNAVAILABLE: a dependency is out of reach; retry after `retry_after` seconds."""

    reason: Reason = Reason.DEPENDENCY_UNAVAILABLE
    retry_after: float | None = 1.0


@dataclass(eq=False)
class DeadlineExceeded(FactoryError):
    """DEADLINE_EXCEEDED: the caller's budget ran out, or could not have sufficed."""

    reason: Reason = Reason.DEADLINE_EXCEEDED


@dataclass(eq=False)
class Cancelled(FactoryError):
    """CANCELLED: the caller, or a person, called it off."""

    reason: Reason = Reason.CANCELLED


@dataclass(eq=False)
class Unimplemented(FactoryError):
    """UNIMPLEMENTED: no such method, or a capability that this release does not have."""

    reason: Reason = Reason.UNIMPLEMENTED


@dataclass(eq=False)
class Internal(FactoryError):
    """INTERNAL: our own bug. The message that leaves the process is bland; the log has the rest."""
