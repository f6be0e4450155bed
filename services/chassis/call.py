"""Who asks, and until when: the facts of one call that travel through every hop."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a verified token speaks for. `subject` is the token's `sub`."""

    subject: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call being served.

    `plant` and `language` ("ko" or "en") are empty when the caller named none. `deadline` is in seconds of
    `time.monotonic()`, None when there is none. `authorization` is the bearer header and `traceparent` the
    W3C trace context; both are handed on to the next hop as they are.
    """

    tenant: str
    plant: str
    principal: Principal
    request_id: str
    language: str
    deadline: float | None
    authorization: str = ""
    traceparent: str = ""


_CURRENT: ContextVar[Call] = ContextVar("factoryai_call")


def current_call() -> Call:
    """Return the call being served by this task. Raises LookupError outside of one."""
    return _CURRENT.get()


def enter_call(call: Call) -> Token[Call]:
    """Make `call` the current one; the token takes it back with `leave_call`."""
    return _CURRENT.set(call)


def leave_call(token: Token[Call]) -> None:
    """Take back what `enter_call` set."""
    _CURRENT.reset(token)


@contextmanager
def call_scope(call: Call) -> Iterator[None]:
    """Speak as `call` inside the block: for background work, which no RPC started, and for tests."""
    token = enter_call(call)
    try:
        yield
    finally:
        leave_call(token)
