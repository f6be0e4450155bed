"""Writes that are repeated are answered and not done again: by (tenant, method, request_id), for a day and more."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import structlog
from google.protobuf.message import Message

from services import errors
from services.chassis.call import current_call
from services.chassis.clock import Clock
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database, Queries
from services.errors import Reason

log = structlog.get_logger(__name__)

RETENTION_S = 25 * 3600
# Longer than the chassis lets any call without a deadline of its own run.
LONGEST_WORK_S = 180.0
PURGE_EVERY = 256
RETRY_AFTER_S = 0.2

R = TypeVar("R", bound=Message)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the log knows of a request: `response` is None while the work is under way."""

    digest: bytes
    response: bytes | None
    claim: int


class RequestLog(Protocol):
    """Remembers requests. Each method is atomic; a claim runs out after `lease_s`."""

    async def claim(
        self, tenant: str, method: str, request_id: str, digest: bytes, lease_s: float
    ) -> tuple[Entry, bool]:
        """Claim the id for work. Returns the entry and whether this caller now holds the claim."""
        ...

    async def complete(self, tenant: str, method: str, request_id: str, claim: int, response: bytes) -> None:
        """Keep the answer, if the claim is still held."""
        ...

    async def release(self, tenant: str, method: str, request_id: str, claim: int) -> None:
        """Free the id after failed work, if the claim is still held."""
        ...


class PostgresRequestLog:
    """The `request_log` table of a service's schema; time is the database's."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.chassis")
        self._claims = 0

    async def claim(
        self, tenant: str, method: str, request_id: str, digest: bytes, lease_s: float
    ) -> tuple[Entry, bool]:
        """Claim the id; see RequestLog."""
        self._claims += 1
        async with self._database.transaction(tenant) as connection:
            if self._claims % PURGE_EVERY == 0:
                await connection.execute(self._sql["purge_requests"], float(RETENTION_S))
            row = await connection.fetchrow(
                self._sql["claim_request"], tenant, method, request_id, digest, float(lease_s)
            )
            if row is not None:
                return Entry(digest, None, row["claim"]), True
            row = await connection.fetchrow(self._sql["read_request"], tenant, method, request_id)
            if row is None:  # freed between the two statements
                raise errors.Conflict("the request is being done", retry_after=RETRY_AFTER_S)
            return Entry(row["digest"], row["response"], row["claim"]), False

    async def complete(self, tenant: str, method: str, request_id: str, claim: int, response: bytes) -> None:
        """Keep the answer; see RequestLog."""
        async with self._database.transaction(tenant) as connection:
            await connection.execute(self._sql["complete_request"], tenant, method, request_id, claim, response)

    async def release(self, tenant: str, method: str, request_id: str, claim: int) -> None:
        """Free the id; see RequestLog."""
        async with self._database.transaction(tenant) as connection:
            await connection.execute(self._sql["release_request"], tenant, method, request_id, claim)


@dataclass(slots=True)
class _Kept:
    entry: Entry
    claimed_until: float
    created: float


class MemoryRequestLog:
    """The same in memory, for services without a database."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str, str], _Kept] = {}
        self._claims = 0

    async def claim(
        self, tenant: str, method: str, request_id: str, digest: bytes, lease_s: float
    ) -> tuple[Entry, bool]:
        """Claim the id; see RequestLog."""
        now = self._clock.monotonic()
        key = (tenant, method, request_id)
        self._claims += 1
        if self._claims % PURGE_EVERY == 0:
            for old in [key for key, kept in self._kept.items() if kept.created < now - RETENTION_S]:
                del self._kept[old]
        kept = self._kept.get(key)
        if kept is not None and (kept.entry.response is not None or kept.claimed_until > now):
            return kept.entry, False
        if kept is not None and kept.entry.digest != digest:
            return kept.entry, False
        entry = Entry(digest, None, kept.entry.claim + 1 if kept else 1)
        self._kept[key] = _Kept(entry, now + lease_s, now)
        return entry, True

    async def complete(self, tenant: str, method: str, request_id: str, claim: int, response: bytes) -> None:
        """Keep the answer; see RequestLog."""
        kept = self._kept.get((tenant, method, request_id))
        if kept is not None and kept.entry.claim == claim:
            kept.entry = replace(kept.entry, response=response)

    async def release(self, tenant: str, method: str, request_id: str, claim: int) -> None:
        """Free the id; see RequestLog."""
        kept = self._kept.get((tenant, method, request_id))
        if kept is not None and kept.entry.claim == claim and kept.entry.response is None:
            del self._kept[tenant, method, request_id]


class Idempotency:
    """Does a write once for each request_id.

    The answer is recorded after the work, in a transaction of its own: a process that dies between the two does the
    work again when the claim has run out. Work whose own commit must be exactly-once keeps a unique key as well.
    """

    def __init__(self, log: RequestLog, *, metrics: Metrics) -> None:
        self._log = log
        self._replays = metrics.idempotent_replays

    async def once(  # noqa: PLR0917 - what identifies a write is this much
        self,
        tenant: str,
        request_id: str,
        method: str,
        request: Message,
        work: Callable[[], Awaitable[R]],
        response_type: type[R],
    ) -> tuple[R, bool]:
        """Return the answer and whether this call did the work.

        Without a request_id the work is always done. The same id with another body raises AlreadyExists
        (REQUEST_ID_REUSED); the same id while the first is at work raises Conflict with `retry_after`. When the work
        fails, the id is free again.
        """
        if not request_id:
            return await work(), True
        digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
        entry, mine = await self._log.claim(tenant, method, request_id, digest, _lease_s())
        if not mine:
            return self._replay(entry, digest, method, request_id, response_type), False
        try:
            response = await work()
        except BaseException:
            # Cancellation counts as failed work too; freeing the id must outlive it.
            await asyncio.shield(self._release(tenant, method, request_id, entry.claim))
            raise
        try:
            await self._log.complete(tenant, method, request_id, entry.claim, response.SerializeToString())
        except errors.FactoryError as failure:
            # The work is done and committed: saying no now would only invite doing it twice.
            log.warning("answer not recorded", method=method, error=str(failure))
        return response, True

    def _replay(self, entry: Entry, digest: bytes, method: str, request_id: str, response_type: type[R]) -> R:
        if entry.digest != digest:
            raise errors.AlreadyExists(
                "this request_id came with another body before",
                reason=Reason.REQUEST_ID_REUSED,
                metadata={"request_id": request_id},
            )
        if entry.response is None:
            raise errors.Conflict("the request is being done", retry_after=RETRY_AFTER_S)
        self._replays.labels(method).inc()
        response = response_type()
        response.ParseFromString(entry.response)
        return response

    async def _release(self, tenant: str, method: str, request_id: str, claim: int) -> None:
        try:
            await self._log.release(tenant, method, request_id, claim)
        except errors.FactoryError as failure:
            # The claim runs out by itself; the work's own error is the one to tell.
            log.warning("request id not freed", method=method, error=str(failure))


def _lease_s() -> float:
    """Return how long the work may take: no longer than its caller waits, since the chassis ends it then."""
    try:
        deadline = current_call().deadline
    except LookupError:
        return LONGEST_WORK_S
    if deadline is None:
        return LONGEST_WORK_S
    return min(LONGEST_WORK_S, max(1.0, deadline - time.monotonic() + 5))
