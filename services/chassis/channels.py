"""Ways to a neighbour: in process or over a socket, behind the one interface that generated stubs accept.

Either way a call carries who asks (token, tenant, plant), its request id, language and trace, and what is left of its
deadline less a margin; and either way it raises `services.errors`. A stub's call returns an awaitable with `cancel()`,
or an async iterator for a stream; the rest of gRPC's call objects is not there.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit

import grpc
import orjson
from prometheus_client import Histogram

from services import errors
from services.chassis import status
from services.chassis.auth import DEFAULT_TENANT, ServiceTokens
from services.chassis.call import Call, current_call
from services.chassis.inprocess import Headers, LocalServices
from services.chassis.metrics import Metrics
from services.chassis.tracing import HEADER as TRACEPARENT
from services.chassis.tracing import Tracing
from services.errors import FactoryError

# What a hop keeps back of its caller's budget, to turn the answer around.
MARGIN_S = 0.02
CLOSE_GRACE_S = 1.0
_SERVICE_CONFIG = orjson.dumps({"loadBalancingConfig": [{"round_robin": {}}]}).decode()
_OPTIONS = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.enable_retries", 0),  # retries are made at one layer, and this is not it
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 0),  # else servers count idle pings as strikes
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.max_send_message_length", 4 * 1024 * 1024),
    ("grpc.max_metadata_size", 16 * 1024),
)


class Channels:
    """The ways from one service to its neighbours. Addresses are read at call time, so they may be told late."""

    def __init__(
        self,
        addresses: Mapping[str, str],
        *,
        local: LocalServices,
        metrics: Metrics,
        tracing: Tracing,
        tokens: ServiceTokens,
    ) -> None:
        self._addresses = addresses
        self._local = local
        self._metrics = metrics
        self._tracing = tracing
        self._tokens = tokens
        self._channels: dict[str, _Channel] = {}

    def channel(self, service: str) -> grpc.aio.Channel:
        """Return the way to a service by its short name, such as "router". Raises KeyError on a name nobody knows."""
        if service not in self._addresses:
            raise KeyError(f"no address is configured for {service}")
        if service not in self._channels:
            self._channels[service] = _Channel(
                service,
                self._addresses,
                local=self._local,
                metrics=self._metrics,
                tracing=self._tracing,
                tokens=self._tokens,
            )
        return self._channels[service]

    async def close(self) -> None:
        """Close the sockets."""
        for channel in self._channels.values():
            await channel.close(CLOSE_GRACE_S)


class _Channel(grpc.aio.Channel):
    """One neighbour. Which way leads there is decided at each call: in process as soon as it stands in this one."""

    def __init__(
        self,
        service: str,
        addresses: Mapping[str, str],
        *,
        local: LocalServices,
        metrics: Metrics,
        tracing: Tracing,
        tokens: ServiceTokens,
    ) -> None:
        self.service = service
        self.local = local
        self._addresses = addresses
        self._metrics = metrics
        self._tracing = tracing
        self._tokens = tokens
        self._socket: grpc.aio.Channel | None = None
        self._observed: dict[tuple[str, str, str], Histogram] = {}

    def socket(self) -> grpc.aio.Channel:
        """Return the socket channel, opened when first needed."""
        if self._socket is None:
            self._socket = grpc.aio.insecure_channel(target_of(self._addresses[self.service]), options=_OPTIONS)
        return self._socket

    def unary_unary(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        """Return what a stub calls."""
        return _Unary(self, method, request_serializer, response_deserializer)

    def unary_stream(
        self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *_: Any, **__: Any
    ) -> Any:
        """Return what a stub calls for a stream."""
        return _Stream(self, method, request_serializer, response_deserializer)

    def stream_unary(self, method: str, *_: Any, **__: Any) -> Any:
        """Return what refuses: requests do not stream between our services."""
        return _refuse_stream(method)

    def stream_stream(self, method: str, *_: Any, **__: Any) -> Any:
        """Return what refuses: requests do not stream between our services."""
        return _refuse_stream(method)

    def outgoing(
        self, timeout: float | None, metadata: Iterable[tuple[str, str]] | None
    ) -> tuple[Headers, float | None]:
        """Return what travels with a call, and how long it may take. Raises DeadlineExceeded when nothing is left."""
        try:
            call: Call | None = current_call()
        except LookupError:
            call = None
        if call is not None and call.deadline is not None:
            left = call.deadline - time.monotonic() - MARGIN_S
            timeout = left if timeout is None else min(timeout, left)
        if timeout is not None and timeout <= 0:
            raise errors.DeadlineExceeded(f"no time is left to call {self.service}")
        headers = _headers(call, self._tokens)
        traceparent = self._tracing.current(call.traceparent if call else "")
        if traceparent:
            headers.append((TRACEPARENT, traceparent))
        if metadata:
            given = list(metadata)
            names = {name for name, _ in given}
            headers = [*(header for header in headers if header[0] not in names), *given]
        return tuple(headers), timeout

    def observe(self, path: str, code: str, transport: str, seconds: float) -> None:
        """Record how a call went."""
        key = (path, code, transport)
        histogram = self._observed.get(key)
        if histogram is None:
            _, service, method = path.split("/")
            histogram = self._metrics.rpc_client_duration.labels(service, method, code, transport)
            self._observed[key] = histogram
        histogram.observe(seconds)

    async def close(self, grace: float | None = None) -> None:
        """Close the socket, if one was opened."""
        if self._socket is not None:
            await self._socket.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 - gRPC's signature
        """Return the state of the socket."""
        return self.socket().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait on the socket."""
        await self.socket().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the socket is connected."""
        await self.socket().channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Unary:
    """A unary method as stubs call it."""

    def __init__(self, channel: _Channel, path: str, serialize: Any, deserialize: Any) -> None:
        self._channel = channel
        self._path = path
        self._serializers = (serialize, deserialize)
        self._remote: Callable[..., Any] | None = None

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str]] | None = None,
        **_: Any,
    ) -> Awaitable[Any]:
        channel, began = self._channel, time.monotonic()
        headers, timeout = channel.outgoing(timeout, metadata)
        served = channel.local.find(channel.service, self._path)
        if served is not None:
            answer = channel.local.unary(channel.service, served, request, headers, timeout)
            answer.add_done_callback(
                lambda done: channel.observe(self._path, _code(done), "in_process", time.monotonic() - began)
            )
            return answer
        if self._remote is None:
            self._remote = channel.socket().unary_unary(self._path, *self._serializers)
        return _RemoteAnswer(channel, self._path, self._remote(request, timeout=timeout, metadata=headers), began)


class _RemoteAnswer:
    """The answer to come of a call over a socket."""

    def __init__(self, channel: _Channel, path: str, call: Any, began: float) -> None:
        self._channel = channel
        self._path = path
        self._call = call
        self._began = began

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    def cancel(self) -> bool:
        """Call it off."""
        return bool(self._call.cancel())

    async def _answer(self) -> Any:
        code = "CANCELLED"
        try:
            response = await self._call
            code = "OK"
        except grpc.aio.AioRpcError as failure:
            code = failure.code().name
            _raise(failure, self._channel.service)
        finally:
            self._channel.observe(self._path, code, "socket", time.monotonic() - self._began)
        return response


class _Stream:
    """A method with a stream of responses as stubs call it."""

    def __init__(self, channel: _Channel, path: str, serialize: Any, deserialize: Any) -> None:
        self._channel = channel
        self._path = path
        self._serializers = (serialize, deserialize)
        self._remote: Callable[..., Any] | None = None

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str]] | None = None,
        **_: Any,
    ) -> AsyncIterator[Any]:
        channel = self._channel
        headers, timeout = channel.outgoing(timeout, metadata)
        served = channel.local.find(channel.service, self._path)
        if served is not None:
            return channel.local.stream(channel.service, served, request, headers, timeout)
        return self._over_socket(request, headers, timeout)

    async def _over_socket(self, request: Any, headers: Headers, timeout: float | None) -> AsyncIterator[Any]:  # noqa: ASYNC109 - gRPC's own
        if self._remote is None:
            self._remote = self._channel.socket().unary_stream(self._path, *self._serializers)
        call = self._remote(request, timeout=timeout, metadata=headers)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as failure:
            _raise(failure, self._channel.service)
        finally:
            call.cancel()


def target_of(url: str) -> str:
    """Return gRPC's target for an address: `http://host:8010`, `host:8010` and `dns:///host:8010` are the same."""
    if url.startswith(("dns:", "unix:", "ipv4:", "ipv6:")):
        return url
    parts = urlsplit(url if "//" in url else f"//{url}")
    if not parts.netloc:
        raise ValueError(f"{url!r} is no address; wanted http://host:port")
    return f"dns:///{parts.netloc}"


def _headers(call: Call | None, tokens: ServiceTokens) -> list[tuple[str, str]]:
    tenant = call.tenant if call is not None else DEFAULT_TENANT
    authorization = (call.authorization if call is not None else "") or tokens.header(tenant)
    # Without a token (development) the tenant travels by name; with one, nobody would listen.
    headers = [("authorization", authorization)] if authorization else [("x-tenant", tenant)]
    if call is not None:
        headers.append(("x-request-id", call.request_id))
        if call.plant:
            headers.append(("x-plant", call.plant))
        if call.language:
            headers.append(("accept-language", call.language))
    return headers


def _code(answer: Any) -> str:
    if answer.cancelled():
        return "CANCELLED"
    error = answer.exception()
    if error is None:
        return "OK"
    return status.code_of(error).name if isinstance(error, FactoryError) else "UNKNOWN"


def _raise(failure: grpc.aio.AioRpcError, service: str) -> NoReturn:
    trailers = failure.trailing_metadata()
    details: Any = trailers.get(status.DETAILS_KEY) if trailers is not None else None
    raise status.decode(failure.code(), failure.details() or "", details, service) from None


def _refuse_stream(method: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(f"{method} streams requests, which our services do not do among themselves")

    return refuse
