"""Puts the interceptors around the methods of a service: one wrapping, served over sockets and in process alike."""

import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Never, TypeAlias, cast

import grpc
from google.protobuf.message import DecodeError

from services import errors
from services.chassis import status
from services.chassis.interceptors import CLOSED_ONLY
from services.chassis.interceptors.request_id import HEADER as REQUEST_ID
from services.chassis.interceptors.rpc import Interceptor, Method, Rpc, Unreadable
from services.chassis.interceptors.validate import Validate
from services.errors import FactoryError, Reason

Context = grpc.aio.ServicerContext[Any, Any]
# Generic in its stubs only.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Served:
    """A method with everything around it: `behaviour` is the whole chain, `handler` the same for a gRPC server."""

    method: Method
    behaviour: Callable[[Any, Any], Any]
    handler: Handler
    request_type: Any
    max_receive_bytes: int


class _Collector:
    """Stands where generated `add_XServicer_to_server` expects a server, and keeps what it is given."""

    def __init__(self) -> None:
        self.methods: dict[str, Mapping[str, Handler]] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Drop them: generated code registers each method twice, and the other one has names."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Handler]) -> None:
        """Keep the methods of a service."""
        self.methods[service] = handlers


class Chain:
    """The interceptors of one service, and the limit on the size of a request."""

    def __init__(self, steps: tuple[Interceptor, ...], *, validate: Validate, max_receive_bytes: int) -> None:
        self._steps = steps
        self._open_steps = tuple(step for step in steps if not isinstance(step, CLOSED_ONLY))
        self._validate = validate
        self.max_receive_bytes = max_receive_bytes

    def serve(self, add_to: Callable[[grpc.aio.Server], None], *, unguarded: bool = False) -> dict[str, Served]:
        """Wrap every method that `add_to` registers; path -> method. `unguarded` is for health and reflection."""
        collector = _Collector()
        add_to(cast("grpc.aio.Server", collector))
        served: dict[str, Served] = {}
        for service, handlers in collector.methods.items():
            for name, handler in handlers.items():
                method = Method(service, name, handler.response_streaming, unguarded)
                served[method.path] = self._wrap(method, handler)
        return served

    def unknown(self, path: str) -> Handler:
        """Answer a method that nobody serves: UNIMPLEMENTED, with details like any other error."""

        async def refuse(_: Any, __: Context) -> bytes:
            raise errors.Unimplemented(f"there is no method {path[:200]}")

        method = Method("unknown", "unknown", streams=False, open=True)
        return grpc.unary_unary_rpc_method_handler(self._unary(method, refuse), None, None)

    def _wrap(self, method: Method, handler: Any) -> Served:
        request_type = getattr(handler.request_deserializer, "__self__", None)
        if request_type is not None:
            self._validate.prepare(request_type)
        kinds = {
            (False, False): (handler.unary_unary, grpc.unary_unary_rpc_method_handler),
            (False, True): (handler.unary_stream, grpc.unary_stream_rpc_method_handler),
            (True, False): (handler.stream_unary, grpc.stream_unary_rpc_method_handler),
            (True, True): (handler.stream_stream, grpc.stream_stream_rpc_method_handler),
        }
        behaviour, make = kinds[handler.request_streaming, handler.response_streaming]
        if handler.request_streaming:
            behaviour = self._checking(behaviour)
        around = self._stream if handler.response_streaming else self._unary
        guarded = around(method, behaviour)
        made = make(
            guarded,
            request_deserializer=_careful(handler.request_deserializer, self.max_receive_bytes),
            response_serializer=handler.response_serializer,
        )
        return Served(method, guarded, made, request_type, self.max_receive_bytes)

    def _unary(self, method: Method, behaviour: Callable[..., Any]) -> Callable[[Any, Context], Any]:
        steps = self._open_steps if method.open else self._steps

        async def serve(request: Any, context: Context) -> Any:
            rpc = _rpc(method, request, context)
            entered, response, error = 0, None, None
            try:
                for step in steps:
                    step.enter(rpc)
                    entered += 1
                response = await behaviour(request, context)
            except BaseException as raised:  # noqa: BLE001 - each is judged in the errors step, none is swallowed
                error = raised
            error = _leave(rpc, steps[:entered], error)
            if error is not None:
                await _fail(rpc, error)
            return response

        return serve

    def _stream(self, method: Method, behaviour: Callable[..., Any]) -> Callable[[Any, Context], Any]:
        steps = self._open_steps if method.open else self._steps
        generates = inspect.isasyncgenfunction(behaviour)

        async def serve(request: Any, context: Context) -> AsyncIterator[Any]:
            rpc = _rpc(method, request, context)
            entered, error = 0, None
            try:
                for step in steps:
                    step.enter(rpc)
                    entered += 1
                if generates:
                    async with contextlib.aclosing(behaviour(request, context)) as messages:
                        async for message in messages:
                            yield message
                else:
                    await behaviour(request, context)  # it writes through the context
            except BaseException as raised:  # noqa: BLE001 - see _unary
                error = raised
            error = _leave(rpc, steps[:entered], error)
            if error is not None:
                await _fail(rpc, error)

        return serve

    def _checking(self, behaviour: Callable[..., Any]) -> Callable[..., Any]:
        """Hold each message of a request stream to its rules as it is read."""
        check = self._validate.check

        async def checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for request in requests:
                check(request)
                yield request

        if inspect.isasyncgenfunction(behaviour):

            async def generate(requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
                async with contextlib.aclosing(behaviour(checked(requests), context)) as messages:
                    async for message in messages:
                        yield message

            return generate

        async def answer(requests: AsyncIterator[Any], context: Context) -> Any:
            return await behaviour(checked(requests), context)

        return answer


def _rpc(method: Method, request: Any, context: Context) -> Rpc:
    headers: Mapping[str, str] = dict(cast("Any", context.invocation_metadata()) or ())
    return Rpc(method, context, None if hasattr(request, "__anext__") else request, headers, time.monotonic())


def _leave(rpc: Rpc, entered: tuple[Interceptor, ...], error: BaseException | None) -> BaseException | None:
    for step in reversed(entered):
        error = step.leave(rpc, error)
    return error


async def _fail(rpc: Rpc, error: BaseException) -> Never:
    """End the RPC with an error: the one place that aborts. Others (a cancellation, an abort) go on as they are."""
    if not isinstance(error, FactoryError):
        raise error
    encoded = status.encode(error, rpc.request_id, rpc.language)
    trailers = ((REQUEST_ID, rpc.request_id), (status.DETAILS_KEY, encoded.status))
    await rpc.context.abort(encoded.code, encoded.message, trailers)


def too_large(size: int, limit: int) -> errors.Overloaded:
    """Refuse a request of `size` bytes."""
    return errors.Overloaded(
        f"the request has {size} bytes; at most {limit} are taken", reason=Reason.REQUEST_TOO_LARGE, retry_after=None
    )


def _careful(deserialize: Callable[[bytes], Any] | None, limit: int) -> Callable[[bytes], Any]:
    """Decode without raising: gRPC answers UNKNOWN to an exception in a deserializer."""

    def decode(data: bytes) -> Any:
        if len(data) > limit:
            return Unreadable(too_large(len(data), limit))
        try:
            return data if deserialize is None else deserialize(data)
        except (DecodeError, ValueError, RecursionError):  # garbage, bad UTF-8, nesting too deep
            return Unreadable(
                errors.Invalid("the bytes are not a request of this method", reason=Reason.MALFORMED_REQUEST)
            )

    return decode
