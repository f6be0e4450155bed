"""What the exit status of `factoryai` says. Scripts rely on it: docs/cli.md lists it, a test holds both together."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from google.rpc import code_pb2


class ExitCode(IntEnum):
    """Exit status of every command."""

    OK = 0
    INTERNAL = 1  # a bug of ours; the request id finds it in the log
    USAGE = 2  # the command line itself is wrong; nothing was sent
    INVALID = 3  # the input is wrong: question, file, mapping, filter
    NOT_FOUND = 4  # no such plant, decision, file
    UNAVAILABLE = 5  # not running, out of reach, overloaded: the same command may work later
    REFUSED = 6  # no token, a bad one, or one that does not allow this
    CONFLICT = 7  # the state of things does not allow this, or somebody was faster
    UNFINISHED = 8  # out of time, still running, or called off
    REJECTED_ROWS = 9  # import --strict: committed, but some rows were not taken
    INTERRUPTED = 130  # Ctrl-C


_BY_CODE: Mapping[int, ExitCode] = MappingProxyType(
    {
        code_pb2.OK: ExitCode.OK,
        code_pb2.CANCELLED: ExitCode.UNFINISHED,
        code_pb2.INVALID_ARGUMENT: ExitCode.INVALID,
        code_pb2.DEADLINE_EXCEEDED: ExitCode.UNFINISHED,
        code_pb2.NOT_FOUND: ExitCode.NOT_FOUND,
        code_pb2.ALREADY_EXISTS: ExitCode.CONFLICT,
        code_pb2.PERMISSION_DENIED: ExitCode.REFUSED,
        code_pb2.RESOURCE_EXHAUSTED: ExitCode.UNAVAILABLE,
        code_pb2.FAILED_PRECONDITION: ExitCode.CONFLICT,
        code_pb2.ABORTED: ExitCode.CONFLICT,
        code_pb2.OUT_OF_RANGE: ExitCode.INVALID,
        code_pb2.UNIMPLEMENTED: ExitCode.INVALID,
        code_pb2.UNAVAILABLE: ExitCode.UNAVAILABLE,
        code_pb2.UNAUTHENTICATED: ExitCode.REFUSED,
    }
)


def of_grpc_code(code: int) -> ExitCode:
    """Return the exit code for a value of `google.rpc.Code`; INTERNAL for what only a bug of ours can send."""
    return _BY_CODE.get(code, ExitCode.INTERNAL)
