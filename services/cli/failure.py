"""What can go wrong for a command, and how it is told to people: localised, with the request id, without a trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2, status_pb2

from services.cli.exit_codes import ExitCode, of_grpc_code
from services.cli.words import Words
from services.errors import FieldViolation

_PREFIX = "ERROR_REASON_"
# For an answer that has an HTTP status and no `google.rpc.Status`: something in front of Envoy gave it.
_BY_HTTP_STATUS: Mapping[int, int] = {
    400: code_pb2.INVALID_ARGUMENT,
    401: code_pb2.UNAUTHENTICATED,
    403: code_pb2.PERMISSION_DENIED,
    404: code_pb2.NOT_FOUND,
    409: code_pb2.ABORTED,
    413: code_pb2.RESOURCE_EXHAUSTED,
    429: code_pb2.RESOURCE_EXHAUSTED,
    502: code_pb2.UNAVAILABLE,
    503: code_pb2.UNAVAILABLE,
    504: code_pb2.DEADLINE_EXCEEDED,
}


@dataclass(eq=False)
class CliError(Exception):
    """A failure that the command itself found: a key of the catalogue with its values."""

    key: str
    exit_code: ExitCode
    values: Mapping[str, object] = field(default_factory=dict)

    def lines(self, words: Words) -> list[str]:
        """Return the one sentence."""
        return [words(self.key, **self.values)]


class UsageProblem(CliError):
    """The command line is wrong. Nothing was sent."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, ExitCode.USAGE, values)


class InputProblem(CliError):
    """A file or a value that was given cannot be used."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, ExitCode.INVALID, values)


class Missing(CliError):
    """What was named is not there."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, ExitCode.NOT_FOUND, values)


class Unreachable(CliError):
    """Nobody answered."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, ExitCode.UNAVAILABLE, values)


class BadReply(CliError):
    """Somebody answered in a way that no release of ours does."""

    def __init__(self, url: str) -> None:
        super().__init__("failure.bad_reply", ExitCode.UNAVAILABLE, {"url": url})


@dataclass(eq=False)
class ApiError(Exception):
    """The server refused: what `google.rpc.Status` says.

    `code` is a value of `google.rpc.Code`; `reason` the name in ErrorReason without its prefix, empty where none came;
    `message` one English sentence for developers; `localized` one for people by language; `retry_after` in seconds,
    0 where the server named none.
    """

    code: int
    message: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[FieldViolation, ...] = ()
    retry_after: float = 0.0
    request_id: str = ""
    localized: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """Exit code that belongs to the code."""
        return of_grpc_code(self.code)

    def lines(self, words: Words) -> list[str]:
        """Return the localised reason, the server's own sentence, each bad field, when to retry, the request id."""
        code = code_pb2.Code.Name(self.code) if self.code in code_pb2.Code.values() else str(self.code)
        # A newer server may have reasons that we have no words for; it sends its own.
        headline = words.get(f"reason.{self.reason}") or self.localized.get(words.language) or words.get(f"code.{code}")
        told = [headline or words("code.other", code=code)]
        details = ", ".join(f"{key}={value}" for key, value in sorted(self.metadata.items()) if value)
        if details:
            told.append(f"  {details}")
        told += [f"  {each.field}: {each.description}" for each in self.violations]
        if self.message and not self.violations:
            told.append("  " + words("failure.server_says", message=self.message))
        if self.retry_after:
            told.append("  " + words("failure.retry_after", seconds=f"{self.retry_after:g}"))
        if self.request_id:
            told.append("  " + words("failure.request_id", request_id=self.request_id))
        return told


def decode_error(http_status: int, body: str, request_id: str) -> ApiError:
    """Return the error in a REST response with an error status."""
    try:
        status = json_format.Parse(body, status_pb2.Status(), ignore_unknown_fields=True)
    except json_format.ParseError:
        code = _BY_HTTP_STATUS.get(http_status, code_pb2.UNKNOWN)
        return ApiError(code=code, message=f"HTTP {http_status}", request_id=request_id)
    return of_status(status, request_id)


def of_status(status: status_pb2.Status, request_id: str = "") -> ApiError:
    """Return the error that a status tells of; `request_id` where the status itself has none."""
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry, request = error_details_pb2.RetryInfo(), error_details_pb2.RequestInfo()
    localized: dict[str, str] = {}
    for detail in status.details:
        if detail.Is(error_details_pb2.LocalizedMessage.DESCRIPTOR):
            message = error_details_pb2.LocalizedMessage()
            detail.Unpack(message)
            localized[message.locale] = message.message
        for known in (info, bad_request, retry, request):
            if detail.Is(known.DESCRIPTOR):
                detail.Unpack(known)
    return ApiError(
        code=status.code,
        message=status.message,
        reason=info.reason.removeprefix(_PREFIX),
        metadata=dict(info.metadata),
        violations=tuple(FieldViolation(each.field, each.description) for each in bad_request.field_violations),
        retry_after=retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9,
        request_id=request.request_id or request_id,
        localized=localized,
    )
