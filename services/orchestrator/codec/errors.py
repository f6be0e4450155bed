"""Errors that are kept in a decision or sent inside a stream, as `google.rpc.Status`."""

import grpc
from google.rpc import status_pb2

from services.chassis import status
from services.errors import FactoryError

_CODES = {code.value[0]: code for code in grpc.StatusCode}


def encode_error(error: FactoryError, request_id: str, language: str) -> status_pb2.Status:
    """Write an error; of our own bugs nothing but the request id."""
    return status_pb2.Status.FromString(status.encode(error, request_id, language).status)


def error(message: status_pb2.Status, service: str) -> FactoryError:
    """Read an error that `service` gave."""
    code = _CODES.get(message.code, grpc.StatusCode.INTERNAL)
    return status.decode(code, message.message, message.SerializeToString(), service)
