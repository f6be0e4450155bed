"""Services behind the real chain, in process and on real sockets, called as a tenant with a token of a test key."""

import asyncio
import contextlib
import dataclasses
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from services.chassis.auth import TokenSigner, new_private_key
from services.chassis.call import Call, Principal, call_scope
from services.chassis.clock import Clock
from services.chassis.host import Host, Part
from services.chassis.settings import ServiceSettings
from services.chassis.tracing import Tracing

Wiring = Literal["in_process", "socket"]
WIRINGS: tuple[Wiring, ...] = ("in_process", "socket")
ISSUER = AUDIENCE = "factoryai"
S = TypeVar("S", bound=ServiceSettings)


@functools.cache
def signer() -> TokenSigner:
    """Return the signer of this test session's own key."""
    return TokenSigner(new_private_key(), issuer=ISSUER, audience=AUDIENCE)


def bearer(
    tenant: str = "default",
    subject: str = "tester",
    *,
    roles: tuple[str, ...] = ("operator",),
    plant: str = "",
    ttl_s: float = 900,
) -> str:
    """Return an Authorization header that verifies."""
    return f"Bearer {signer().sign(subject, tenant=tenant, roles=roles, plant=plant, ttl_s=ttl_s)}"


def settings(cls: type[S], folder: Path, **overrides: Any) -> S:
    """Return settings with the test key, free ports and no wait when draining."""
    jwks = folder / "jwks.json"
    if not jwks.exists():
        jwks.write_bytes(signer().jwks())
    given: dict[str, Any] = {
        "port": 0,
        "health_port": 0,
        "metrics_port": 0,
        "jwks_file": jwks,
        "drain_grace_s": 2,
        "log_level": "ERROR",
    }
    return cls(**(given | overrides))


@contextlib.contextmanager
def calling(
    tenant: str = "default",
    subject: str = "tester",
    *,
    plant: str = "",
    language: str = "",
    request_id: str = "",
    within_s: float | None = None,
    token: str | None = None,
) -> Iterator[None]:
    """Speak as somebody: what a stub of a Channels calls inside the block carries this."""
    call = Call(
        tenant,
        plant,
        Principal(subject, frozenset({"operator"})),
        request_id,
        language,
        None if within_s is None else time.monotonic() + within_s,
        bearer(tenant, subject) if token is None else token,
    )
    with call_scope(call):
        yield


async def until(condition: Callable[[], bool | Awaitable[bool]], patience_s: float = 10) -> None:
    """Give the loop its turns until the condition holds. Raises TimeoutError when it never does."""
    async with asyncio.timeout(patience_s):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0)


@dataclasses.dataclass(frozen=True)
class Running:
    """Services that run. Give `channel("router")` to a stub and call inside `calling(...)`."""

    host: Host
    wiring: Wiring

    def channel(self, service: str) -> Any:
        """Return the way to a service under this wiring."""
        return self.platform.channels.channel(service)

    @functools.cached_property
    def platform(self) -> Any:
        """The platform of the caller, who is no service."""
        return self.host.platform()

    def address(self, service: str) -> str:
        """Return host:port of a service's gRPC server, for raw clients."""
        return self.host.addresses[service].removeprefix("http://")


@contextlib.asynccontextmanager
async def serve(
    *parts: Part, wiring: Wiring = "in_process", clock: Clock | None = None, tracing: Tracing | None = None
) -> AsyncIterator[Running]:
    """Run services on real sockets, and, with the wiring "in_process", call them without."""
    host = Host(parts, clock=clock, tracing=tracing, in_process=wiring == "in_process", process="test")
    await host.start()
    try:
        yield Running(host, wiring)
    finally:
        await host.drain()
