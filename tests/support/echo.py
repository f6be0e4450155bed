"""A service that does as it is told, for the tests of the chassis. Its stubs are made when first needed."""

import asyncio
import functools
import importlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from pydantic import Field

from services import errors
from services.chassis.call import current_call
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings
from services.errors import FieldViolation, Reason

FULL_NAME = "factoryai_test.echo.v1.EchoService"
ECHO = f"/{FULL_NAME}/Echo"
COUNT = f"/{FULL_NAME}/Count"
_HERE = Path(__file__).parent
_ROOT = _HERE.parent.parent


@functools.cache
def stubs() -> tuple[Any, Any]:
    """Compile echo.proto; returns its message module and its service module."""
    well_known = Path(protoc.__file__).parent / "_proto"
    includes = [f"-I{folder}" for folder in (_HERE, _ROOT / "third_party", well_known)]
    with tempfile.TemporaryDirectory(prefix="fa-echo-") as out:
        failed = protoc.main(["protoc", *includes, f"--python_out={out}", f"--grpc_python_out={out}", "echo.proto"])
        assert not failed
        sys.path.insert(0, out)
        try:
            return importlib.import_module("echo_pb2"), importlib.import_module("echo_pb2_grpc")
        finally:
            sys.path.remove(out)


class EchoSettings(ServiceSettings):
    port: int = 0
    health_port: int = 0
    metrics_port: int = 0
    neighbour: str = Field(default="data")


async def _nothing() -> None:
    """Start or stop nothing."""


async def _ready() -> bool:
    return True


class Echo:
    """The servicer. `order` says what to do; `seen` counts the calls that reached it, `ended` how they ended."""

    def __init__(self, platform: Platform, neighbour: str) -> None:
        self._pb, grpc_module = stubs()
        self._stub = grpc_module.EchoServiceStub(platform.channels.channel(neighbour))
        self.seen = 0
        self.ended: list[str] = []
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.release = asyncio.Event()
        self.requests: list[Any] = []
        self.work: Callable[[], Awaitable[str]] | None = None

    async def Echo(self, request: Any, _context: Any) -> Any:  # noqa: N802
        self.seen += 1
        self.requests.append(request)
        self.entered.set()
        try:
            response = await self._obey(request)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        self.ended.append(request.text)
        return response

    async def Count(self, request: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802
        self.entered.set()
        try:
            for number in range(1, request.to + 1):
                yield self._response("", number=number)
                await asyncio.sleep(request.pause)
            if request.order == "raise":
                raise errors.NotFound("the next number is missing", metadata={"resource": "number"})
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.set()
            raise

    async def _obey(self, request: Any) -> Any:  # noqa: C901 - a plain list of orders
        match request.order:
            case "wait":
                await self.release.wait()
            case "sleep":
                await asyncio.sleep(request.seconds)
            case "bug":
                raise ZeroDivisionError("a secret of the database")
            case "not_found":
                raise errors.NotFound("no such thing", reason=Reason.UNKNOWN_PLANT, metadata={"plant": request.text})
            case "invalid":
                raise errors.Invalid("two fields", violations=[FieldViolation("a.b", "is odd", "odd")] * 2)
            case "many_violations":
                raise errors.Invalid("many", violations=[FieldViolation("f" * 500, "가" * 500, "r" * 500)] * 500)
            case "unavailable":
                raise errors.Unavailable("gone", metadata={"dependency": "database"}, retry_after=2.5)
            case "mutate":
                request.text = "changed by the servicer"
            case "work" if self.work is not None:
                return self._response(await self.work())
            case "relay":
                relayed = await self._stub.Echo(request.relayed)
                return self._response(request.text, relayed=relayed)
            case "relay_by":
                await self._stub.Echo(request.relayed, timeout=request.seconds)
        return self._response(request.text)

    def _response(self, text: str, *, number: int = 0, relayed: Any = None) -> Any:
        call = current_call()
        return self._pb.EchoResponse(
            text=text,
            tenant=call.tenant,
            plant=call.plant,
            subject=call.principal.subject,
            request_id=call.request_id,
            language=call.language,
            seconds_left=0.0 if call.deadline is None else call.deadline - time.monotonic(),
            traceparent=call.traceparent,
            number=number,
            relayed=relayed,
        )


class EchoPart:
    """Builds an echo service under a name, and keeps its servicer for the test to look at."""

    def __init__(
        self,
        name: str,
        *,
        start: Callable[[], Awaitable[None]] = _nothing,
        ready: Callable[[], Awaitable[bool]] = _ready,
        stop: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.name = name
        self._hooks = (start, ready, stop)
        self._servicer: Echo | None = None
        self.platform: Platform | None = None

    @property
    def servicer(self) -> Echo:
        """The servicer, once built."""
        assert self._servicer is not None
        return self._servicer

    def build(self, settings: EchoSettings, platform: Platform) -> Service:
        """Wire it, as a `wiring.py` does."""
        _, grpc_module = stubs()
        servicer = Echo(platform, settings.neighbour)
        self._servicer, self.platform = servicer, platform
        start, ready, stop = self._hooks
        return Service(
            self.name,
            FULL_NAME,
            lambda server: grpc_module.add_EchoServiceServicer_to_server(servicer, server),
            start,
            ready,
            stop,
        )
