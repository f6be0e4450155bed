"""One RPC on its way through the interceptors."""

import asyncio
from collections.abc import Mapping
from contextvars import Token
from dataclasses import dataclass
from typing import Any, Protocol

import grpc

from services.chassis.auth import ANONYMOUS
from services.chassis.call import Call, Principal
from services.chassis.tracing import OpenSpan
from services.errors import FactoryError

# What a context calls a peer in the same process.
LOCAL_PEER = "inproc"


@dataclass(frozen=True, slots=True)
class Method:
    """A method that is served. `open` ones (health, reflection) ask for no token and are not counted as load."""

    service: str
    name: str
    streams: bool
    open: bool

    @property
    def path(self) -> str:
        """The method as gRPC names it."""
        return f"/{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands in for a request that could not be decoded, so that the refusal goes through the chain as well."""

    error: FactoryError


@dataclass(slots=True)
class Rpc:
    """What the interceptors learn about one RPC, each for those after it.

    `request` is None for methods that stream requests. `began` and `deadline` are in monotonic seconds. `code` is
    known once the errors interceptor has seen the outcome.
    """

    method: Method
    context: grpc.aio.ServicerContext[Any, Any]
    request: Any
    headers: Mapping[str, str]
    began: float
    request_id: str = ""
    language: str = ""
    traceparent: str = ""
    principal: Principal = ANONYMOUS
    tenant: str = ""
    plant: str = ""
    deadline: float | None = None
    code: grpc.StatusCode = grpc.StatusCode.OK
    span: OpenSpan | None = None
    call_token: Token[Call] | None = None
    timer: asyncio.TimerHandle | None = None
    expired: bool = False


class Interceptor(Protocol):
    """One place in the chain.

    `enter` runs before the servicer, first to last; what it raises is the answer. `leave` runs afterwards, last to
    first, for those that were entered; it gets the error the RPC ended with, or None, and returns what it makes of it.
    Neither awaits: a hop in process costs microseconds, and nine awaits would be most of them.
    """

    def enter(self, rpc: Rpc) -> None:
        """Look at the RPC on its way in."""
        ...

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:
        """Look at the outcome on its way out."""
        ...
