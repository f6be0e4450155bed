"""A failure as a value: what history keeps of an error, and what makes a node worth another try."""

from dataclasses import dataclass
from typing import Final

from services import errors
from services.errors import FactoryError, Reason

_BY_CODE: Final[dict[str, type[FactoryError]]] = {
    "CANCELLED": errors.Cancelled,
    "INVALID_ARGUMENT": errors.Invalid,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
    "NOT_FOUND": errors.NotFound,
    "ALREADY_EXISTS": errors.AlreadyExists,
    "PERMISSION_DENIED": errors.PermissionDenied,
    "RESOURCE_EXHAUSTED": errors.Overloaded,
    "FAILED_PRECONDITION": errors.FailedPrecondition,
    "ABORTED": errors.Conflict,
    "UNIMPLEMENTED": errors.Unimplemented,
    "INTERNAL": errors.Internal,
    "UNAVAILABLE": errors.Unavailable,
    "UNAUTHENTICATED": errors.Unauthenticated,
}
_BY_TYPE: Final = {kind: code for code, kind in _BY_CODE.items()}

# Another try may end differently only where the world, and not the request, was at fault.
_RETRYABLE: Final = frozenset({"UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED", "DEADLINE_EXCEEDED"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a node or a run failed. `code` is one of gRPC's names; `retry_after` is in seconds."""

    code: str
    reason: Reason
    message: str
    metadata: tuple[tuple[str, str], ...] = ()
    violations: tuple[errors.FieldViolation, ...] = ()
    retry_after: float | None = None

    @property
    def retryable(self) -> bool:
        """Another try may end differently."""
        return self.code in _RETRYABLE

    @classmethod
    def of(cls, error: FactoryError) -> "Failure":
        """Keep what an error says."""
        code = next((_BY_TYPE[kind] for kind in type(error).__mro__ if kind in _BY_TYPE), "INTERNAL")
        return cls(
            code=code,
            reason=error.reason,
            message=error.message,
            metadata=tuple(sorted(error.metadata.items())),
            violations=tuple(error.violations),
            retry_after=error.retry_after,
        )

    def error(self) -> FactoryError:
        """Make the error again. An unknown code gives Internal."""
        return _BY_CODE.get(self.code, errors.Internal)(
            self.message,
            reason=self.reason,
            metadata=dict(self.metadata),
            violations=self.violations,
            retry_after=self.retry_after,
        )
