"""Failures as `google.rpc.Status`, the same as an error over the wire."""

from typing import Final

import grpc
from google.rpc import status_pb2

from services.chassis import status
from services.workflow.domain.failure import Failure

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def encode_failure(failure: Failure) -> status_pb2.Status:
    """Write a failure. Of our own bugs nothing is told, as anywhere."""
    return status_pb2.Status.FromString(status.encode(failure.error(), "", "").status)


def decode_failure(message: status_pb2.Status) -> Failure:
    """Read a failure."""
    code = _CODES.get(message.code, grpc.StatusCode.INTERNAL)
    return Failure.of(status.decode(code, message.message, message.SerializeToString(), "workflow"))
