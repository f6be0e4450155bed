"""Calls between services of one process: the same chain, statuses, deadlines and copies, without a socket."""

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Never

import grpc
import structlog

from services import errors
from services.chassis import status
from services.chassis.interceptors.chain import Served, too_large
from services.chassis.interceptors.rpc import LOCAL_PEER, Unreadable
from services.errors import FactoryError

log = structlog.get_logger(__name__)

Headers = tuple[tuple[str, str], ...]
# As much as a stream may run ahead of its reader.
AHEAD = 8


class LocalContext(grpc.aio.ServicerContext[Any, Any]):
    """What a servicer sees of a call in process. Metadata, deadline, abort and write behave as on a socket."""

    def __init__(
        self, headers: Headers, deadline: float | None, write: Callable[[Any], Awaitable[None]] | None = None
    ) -> None:
        self._headers = headers
        self._deadline = deadline
        self._write = write
        self._code = grpc.StatusCode.OK
        self._details = ""
        self._trailers: tuple[tuple[str, Any], ...] = ()

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()) -> Never:
        """End the call with a status."""
        self._code, self._details = code, details
        if trailing_metadata:
            self._trailers = tuple(trailing_metadata)
        raise grpc.aio.AbortError("in process")

    async def abort_with_status(self, status: grpc.Status) -> Never:
        """End the call with a status object."""
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    async def check(self) -> None:
        """Treat a code that was set and not aborted with as gRPC does."""
        if self._code is not grpc.StatusCode.OK:
            await self.abort(self._code, self._details)

    def error(self, service: str) -> FactoryError:
        """Return the status that the call was aborted with, decoded as a client decodes it."""
        return status.decode(self._code, self._details, dict(self._trailers).get(status.DETAILS_KEY), service)

    async def read(self) -> Any:
        """Refuse: requests do not stream in process."""
        raise NotImplementedError("requests do not stream in process")

    async def write(self, message: Any) -> None:
        """Send a message of a stream."""
        if self._write is None:
            raise NotImplementedError("the method does not stream")
        await self._write(message)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Do nothing: nobody in this process reads initial metadata."""

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Keep trailers."""
        self._trailers = tuple(trailing_metadata)

    def invocation_metadata(self) -> Any:
        """Return the caller's metadata."""
        return self._headers

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set the code to answer with."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Set the message to answer with."""
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Do nothing: there are no bytes."""

    def disable_next_message_compression(self) -> None:
        """Do nothing: there are no bytes."""

    def peer(self) -> str:
        """Say that the caller is in this process."""
        return LOCAL_PEER

    def peer_identities(self) -> Iterable[bytes] | None:
        """Return None: there is no TLS."""
        return None

    def peer_identity_key(self) -> str | None:
        """Return None: there is no TLS."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return nothing: there is no TLS."""
        return {}

    def time_remaining(self) -> float | None:  # type: ignore[override] # the stub forgets that there may be none
        """Return the seconds that are left, None when there is no deadline."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def trailing_metadata(self) -> Any:
        """Return the trailers."""
        return self._trailers

    def code(self) -> grpc.StatusCode:
        """Return the code."""
        return self._code

    def details(self) -> str:
        """Return the message."""
        return self._details


class LocalServices:
    """The services of this process, by short name. Filled by the host once all of them are built."""

    def __init__(self) -> None:
        self._methods: dict[str, Mapping[str, Served]] = {}
        # The loop keeps weak references only.
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, service: str, methods: Mapping[str, Served]) -> None:
        """Make a service reachable in process."""
        self._methods[service] = methods

    def find(self, service: str, path: str) -> Served | None:
        """Return a method of a service of this process; None when the service is elsewhere.

        Raises Unimplemented when the service is here and has no such method.
        """
        methods = self._methods.get(service)
        if methods is None:
            return None
        served = methods.get(path)
        if served is None:
            raise errors.Unimplemented(f"there is no method {path}")
        return served

    def unary(
        self, service: str, served: Served, request: Any, headers: Headers, timeout: float | None
    ) -> asyncio.Future[Any]:
        """Start a call. The future gives a copy of the response or raises `services.errors`; cancelling it cancels."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        context = LocalContext(headers, None if timeout is None else time.monotonic() + timeout)
        # An empty context, as in another process: nothing travels but what the headers say.
        task = loop.create_task(
            _answer(answer, served, _copy(served, request), context, service), context=contextvars.Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        timer = None if timeout is None else loop.call_later(timeout, _late, answer)

        def settled(_: asyncio.Future[Any]) -> None:
            if timer is not None:
                timer.cancel()
            # Still running means that the caller has gone away or has been told that it is too late.
            if not task.done():
                task.cancel()

        answer.add_done_callback(settled)
        return answer

    async def stream(
        self,
        service: str,
        served: Served,
        request: Any,
        headers: Headers,
        timeout: float | None,  # noqa: ASYNC109 - gRPC's own
    ) -> AsyncIterator[Any]:
        """Stream a call's responses. Closing the iterator cancels the call."""
        queue: asyncio.Queue[Any] = asyncio.Queue(AHEAD)
        deadline = None if timeout is None else time.monotonic() + timeout
        context = LocalContext(headers, deadline, queue.put)
        task = asyncio.get_running_loop().create_task(
            _pump(queue, served, _copy(served, request), context, service), context=contextvars.Context()
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        item = await queue.get()
                except TimeoutError:
                    raise errors.DeadlineExceeded(f"{service} did not answer in time") from None
                if item is _END:
                    return
                if isinstance(item, FactoryError):
                    raise item
                yield item
        finally:
            task.cancel()


_END = object()


def _late(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(errors.DeadlineExceeded("no answer in time"))


async def _answer(
    answer: asyncio.Future[Any], served: Served, request: Any, context: LocalContext, service: str
) -> None:
    try:
        response = _duplicate(await served.behaviour(request, context))
        await context.check()
    except grpc.aio.AbortError:
        outcome: FactoryError = context.error(service)
    except asyncio.CancelledError:
        outcome = errors.Cancelled("the call was cancelled")
    except Exception:
        # The chain lets none through: this is a bug of the chassis itself.
        log.exception("bug in process", service=service)
        outcome = errors.Internal("internal error")
    else:
        if not answer.done():
            answer.set_result(response)
        return
    if not answer.done():
        answer.set_exception(outcome)


async def _pump(queue: asyncio.Queue[Any], served: Served, request: Any, context: LocalContext, service: str) -> None:
    try:
        async for message in served.behaviour(request, context):
            await queue.put(_duplicate(message))
    except grpc.aio.AbortError:
        await queue.put(context.error(service))
    except Exception:
        log.exception("bug in process", service=service)
        await queue.put(errors.Internal("internal error"))
    else:
        await queue.put(_END)


def _copy(served: Served, request: Any) -> Any:
    """Copy a request, under the same limits as on a socket. Bytes are decoded, so that stubs may send them too."""
    if isinstance(request, bytes):
        decode = served.handler.request_deserializer
        return decode(request) if decode is not None else request
    size = request.ByteSize()
    if size > served.max_receive_bytes:
        return Unreadable(too_large(size, served.max_receive_bytes))
    if not isinstance(request, served.request_type):
        raise TypeError(f"{served.method.path} takes {served.request_type.__name__}, not {type(request).__name__}")
    return _duplicate(request)


def _duplicate(message: Any) -> Any:
    if isinstance(message, bytes | Unreadable):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
