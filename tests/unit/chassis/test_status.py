"""Errors survive the wire."""

import grpc
import pytest

from services import errors
from services.chassis import status
from services.errors import FactoryError, FieldViolation, Reason

FAMILY = [
    errors.Invalid,
    errors.Unauthenticated,
    errors.PermissionDenied,
    errors.NotFound,
    errors.AlreadyExists,
    errors.FailedPrecondition,
    errors.Conflict,
    errors.Overloaded,
    errors.Unavailable,
    errors.DeadlineExceeded,
    errors.Cancelled,
    errors.Unimplemented,
]


@pytest.mark.parametrize("family", FAMILY)
@pytest.mark.parametrize("reason", [Reason.UNKNOWN_PLANT, Reason.REQUEST_TOO_LARGE])
def test_there_and_back(family: type[FactoryError], reason: Reason) -> None:
    error = family(
        "한 문장",
        reason=reason,
        metadata={"plant": "부산"},
        violations=(FieldViolation("a.b[0]", "is wrong", "string.min_len"),),
        retry_after=0.25,
    )
    sent = status.encode(error, "r-1", "ko")
    got = status.decode(sent.code, sent.message, sent.status, "data")
    assert type(got) is family
    assert (got.message, got.reason, got.metadata) == (error.message, reason, error.metadata)
    assert (got.violations, got.retry_after) == (error.violations, 0.25)


def test_our_own_bug_says_nothing() -> None:
    sent = status.encode(FactoryError("password=hunter2", metadata={"sql": "hunter2"}), "r-1", "")
    assert sent.code is grpc.StatusCode.INTERNAL
    assert b"hunter2" not in sent.status
    assert b"r-1" in sent.status


def test_a_status_fits_into_trailers() -> None:
    violations = [FieldViolation("필" * 900, "설" * 900, "rule" * 90)] * 900
    error = errors.Invalid("문" * 9000, metadata={str(n): "값" * 900 for n in range(4)}, violations=violations)
    sent = status.encode(error, "r", "")
    assert len(sent.status) <= status.MAX_STATUS_BYTES
    got = status.decode(sent.code, sent.message, sent.status, "data")
    assert got.violations


@pytest.mark.parametrize(
    ("code", "message", "family", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "failed to connect", errors.Unavailable, Reason.DEPENDENCY_UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", errors.DeadlineExceeded, Reason.DEADLINE_EXCEEDED),
        (grpc.StatusCode.UNKNOWN, "Unexpected", errors.Internal, Reason.INTERNAL),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit", errors.Overloaded, Reason.OVERLOADED),
        (
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            "SERVER: Received message larger than max (5 vs. 4)",
            errors.Overloaded,
            Reason.REQUEST_TOO_LARGE,
        ),
        (grpc.StatusCode.OUT_OF_RANGE, "", errors.Invalid, Reason.INVALID_ARGUMENT),
    ],
)
@pytest.mark.parametrize("details", [None, b"", b"\xff\xff garbage"])
def test_what_grpc_itself_says_is_understood(
    code: grpc.StatusCode, message: str, family: type[FactoryError], reason: Reason, details: bytes | None
) -> None:
    got = status.decode(code, message, details, "data")
    assert (type(got), got.reason) == (family, reason)
