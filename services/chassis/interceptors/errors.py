"""Turns every failure into one of ours, so that what is outside sees codes and reasons only."""

import asyncio

import grpc
import structlog

from services import errors
from services.chassis import status
from services.chassis.interceptors.rpc import Rpc
from services.errors import FactoryError

log = structlog.get_logger(__name__)


class Errors:
    """Gives the RPC its code. An exception that is not ours is a bug: the log gets it, the caller a bland INTERNAL."""

    def enter(self, rpc: Rpc) -> None:
        """Nothing has failed yet."""

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Name the outcome."""
        if error is None:
            return None
        mapped = self._map(rpc, error)
        if isinstance(mapped, FactoryError):
            rpc.code = status.code_of(mapped)
        elif isinstance(mapped, grpc.aio.AbortError):
            rpc.code = _code(rpc.context.code())
        else:
            rpc.code = grpc.StatusCode.CANCELLED
        return mapped

    def _map(self, rpc: Rpc, error: BaseException) -> BaseException:
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                return error  # the caller went away; nobody is left to answer
            return errors.Cancelled("a part of the work was cancelled")
        if isinstance(error, FactoryError):
            if status.code_of(error) is grpc.StatusCode.INTERNAL:
                self._report(rpc, error)
            return error
        if isinstance(error, grpc.aio.AbortError) or not isinstance(error, Exception):
            return error
        self._report(rpc, error)
        return errors.Internal("internal error")

    @staticmethod
    def _report(rpc: Rpc, error: BaseException) -> None:
        log.error(
            "bug",
            method=rpc.method.path,
            request_id=rpc.request_id,
            tenant=rpc.tenant,
            error=str(error),
            exc_info=error,
        )


def _code(value: grpc.StatusCode | int) -> grpc.StatusCode:
    # grpc.aio hands back the number, other contexts the enum.
    if isinstance(value, grpc.StatusCode):
        return value
    return next((code for code in grpc.StatusCode if code.value[0] == value), grpc.StatusCode.UNKNOWN)
