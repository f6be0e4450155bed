"""The cache: it may be slow, full, empty or gone, and the answer is the same, only later."""

import asyncio
import enum
from collections import OrderedDict
from typing import Protocol

import redis.asyncio as redis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from services.chassis.clock import Clock
from services.chassis.metrics import Metrics

log = structlog.get_logger(__name__)

TIMEOUT_S = 0.1
FAILURES_TO_OPEN = 3
OPEN_S = 2.0


class Cache(Protocol):
    """Bytes by key. No method raises, none takes longer than a tenth of a second or so."""

    async def get(self, key: str) -> bytes | None:
        """Return what was set, or None when it is not there or the cache is out of reach."""
        ...

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep the value for `ttl_s` seconds, or less."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the key. Not a promise: what must not be read again carries its version in the key."""
        ...


class MemoryCache:
    """A cache of this process: the least recently used entry goes first."""

    def __init__(self, clock: Clock, max_entries: int = 10_000) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    async def get(self, key: str) -> bytes | None:
        """Return what was set and has not expired."""
        found = self._entries.get(key)
        if found is None:
            return None
        expires, value = found
        if expires <= self._clock.monotonic():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep the value, pushing out the least recently used when full."""
        self._entries[key] = (self._clock.monotonic() + ttl_s, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    async def delete(self, key: str) -> None:
        """Forget the key."""
        self._entries.pop(key, None)


class BreakerState(enum.StrEnum):
    """Whether a breaker lets calls through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Stops calling what keeps failing: after three failures in a row nothing for two seconds, then one trial."""

    def __init__(self, name: str, clock: Clock, metrics: Metrics) -> None:
        self.state = BreakerState.CLOSED
        self._name = name
        self._clock = clock
        self._metrics = metrics
        self._failures = 0
        self._opened_at = 0.0

    def allows(self) -> bool:
        """Say whether a call may be tried now; in the half-open state only the first asker may."""
        if self.state is BreakerState.CLOSED:
            return True
        if self._clock.monotonic() - self._opened_at < OPEN_S:
            return False
        # The trial counts as opened now: should it never report back, another is let through in two seconds.
        self._opened_at = self._clock.monotonic()
        self._become(BreakerState.HALF_OPEN)
        return True

    def succeeded(self) -> None:
        """Note a success: everything passes again."""
        self._failures = 0
        self._become(BreakerState.CLOSED)

    def failed(self) -> None:
        """Note a failure."""
        self._failures += 1
        if self._failures >= FAILURES_TO_OPEN:
            self._opened_at = self._clock.monotonic()
            self._become(BreakerState.OPEN)

    def _become(self, state: BreakerState) -> None:
        if state is not self.state:
            self.state = state
            self._metrics.circuit_breaker_state_changes.labels(self._name, state.value).inc()
            log.warning("breaker", breaker=self._name, state=state.value)


class ValkeyCache:
    """Valkey (or Redis) with a short leash: 0.1 s a call, no retries, and a breaker while it is gone."""

    def __init__(self, url: str, *, clock: Clock, metrics: Metrics, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._requests = metrics.cache_requests
        self._breaker = Breaker("cache", clock, metrics)
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            max_connections=64,
        )

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or Valkey did not answer in time."""
        if not self._breaker.allows():
            self._requests.labels("get", "skipped").inc()
            return None
        try:
            async with asyncio.timeout(self._timeout_s * 2):
                value = await self._client.get(key)
        except (RedisError, OSError, TimeoutError) as failure:
            self._failed("get", failure)
            return None
        self._breaker.succeeded()
        self._requests.labels("get", "miss" if value is None else "hit").inc()
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, ttl_s: float) -> None:
        """Keep the value for `ttl_s` seconds if Valkey answers in time."""
        if not self._breaker.allows():
            self._requests.labels("set", "skipped").inc()
            return
        try:
            async with asyncio.timeout(self._timeout_s * 2):
                await self._client.set(key, value, px=max(1, int(ttl_s * 1000)))
        except (RedisError, OSError, TimeoutError) as failure:
            self._failed("set", failure)
            return
        self._breaker.succeeded()
        self._requests.labels("set", "ok").inc()

    async def delete(self, key: str) -> None:
        """Forget the key if Valkey answers in time."""
        if not self._breaker.allows():
            self._requests.labels("delete", "skipped").inc()
            return
        try:
            async with asyncio.timeout(self._timeout_s * 2):
                await self._client.delete(key)
        except (RedisError, OSError, TimeoutError) as failure:
            self._failed("delete", failure)
            return
        self._breaker.succeeded()
        self._requests.labels("delete", "ok").inc()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _failed(self, operation: str, failure: Exception) -> None:
        self._breaker.failed()
        self._requests.labels(operation, "error").inc()
        log.debug("cache out of reach", operation=operation, error=type(failure).__name__)
