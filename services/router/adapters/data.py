"""The plants' catalogues, from the data service, compiled and kept beside the questions that need them."""

import asyncio
import dataclasses
import time
from collections import OrderedDict
from dataclasses import dataclass, field

import structlog
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc

from services.chassis.call import call_scope, current_call
from services.chassis.clock import Clock
from services.errors import FactoryError, NotFound
from services.router.codec import decode_catalogue
from services.router.domain.catalogue import Catalogue
from services.router.domain.lexicon import Lexicon, compile_lexicon
from services.router.domain.vocabulary import Vocabulary

log = structlog.get_logger(__name__)

_MARGIN_S = 0.05  # of a caller's budget, to classify without the catalogue after all
_MOST_PLANTS = 500  # compiled lexicons in memory, the least recently used goes first


@dataclass(frozen=True, slots=True)
class Ages:
    """Seconds: from when on a catalogue is refreshed beside a question, is waited for, and for how long."""

    refresh_s: float
    max_age_s: float
    wait_s: float


@dataclass(slots=True)
class _Kept:
    lexicon: Lexicon
    fetched_at: float = -1.0  # never
    tried_at: float = field(default=-1.0)
    fetching: asyncio.Task[NotFound | None] | None = None


class DataLexicons:
    """Lexicons of plants, as `domain.ports.Lexicons` wants them.

    A question finds the newest lexicon at hand and, where that is a few seconds old, starts a refresh that it does not
    wait for, in its caller's name. A plant that nobody asks about costs nothing.
    """

    def __init__(
        self, data: "data_service_pb2_grpc.DataServiceAsyncStub", vocabulary: Vocabulary, clock: Clock, ages: Ages
    ) -> None:
        self._data = data
        self._vocabulary = vocabulary
        self._clock = clock
        self._ages = ages
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._bare = compile_lexicon(vocabulary, Catalogue(""))

    async def of(self, tenant: str, plant: str) -> Lexicon:
        """Return the newest lexicon at hand. Raises NotFound(UNKNOWN_PLANT)."""
        key = (tenant, plant)
        kept = self._kept.setdefault(key, _Kept(self._bare))
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_PLANTS:
            self._kept.popitem(last=False)
        now = self._clock.monotonic()
        age = now - kept.fetched_at if kept.lexicon.catalogue.known else float("inf")
        if kept.fetching is None and (age > self._ages.refresh_s) and now - kept.tried_at > self._pause(kept):
            kept.tried_at = now
            kept.fetching = asyncio.create_task(self._fetch(key, kept), name=f"catalogue of {plant}")
        if kept.fetching is not None and age > self._ages.max_age_s:
            await self._wait(kept.fetching)
        return kept.lexicon

    async def close(self) -> None:
        """Stop fetching."""
        tasks = [kept.fetching for kept in self._kept.values() if kept.fetching is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _pause(self, kept: _Kept) -> float:
        # While the data service is away, not every question waits for it anew.
        return self._ages.refresh_s if kept.tried_at >= 0 else -1.0

    async def _wait(self, fetching: asyncio.Task[NotFound | None]) -> None:
        """Wait as long as the caller's budget and the settings allow. Raises NotFound where the plant is unknown."""
        deadline = current_call().deadline
        left = self._ages.wait_s if deadline is None else deadline - time.monotonic() - _MARGIN_S
        done, _ = await asyncio.wait({fetching}, timeout=max(0.0, min(left, self._ages.wait_s)))
        if done and not fetching.cancelled():
            unknown = fetching.result()
            if unknown is not None:
                raise unknown

    async def _fetch(self, key: tuple[str, str], kept: _Kept) -> NotFound | None:
        """Bring the lexicon up to date. Returns NotFound where the plant is unknown, and forgets it."""
        call = dataclasses.replace(current_call(), deadline=time.monotonic() + self._ages.wait_s)
        request = data_service_pb2.GetCatalogRequest(
            plant=f"plants/{key[1]}", known_version=kept.lexicon.catalogue.version
        )
        try:
            with call_scope(call):
                response = await self._data.GetCatalog(request)
            if not response.unchanged:
                catalogue = decode_catalogue(response.catalog)
                kept.lexicon = await asyncio.to_thread(compile_lexicon, self._vocabulary, catalogue)
            kept.fetched_at = self._clock.monotonic()
        except NotFound as unknown:
            self._kept.pop(key, None)
            return unknown
        except FactoryError as failure:
            log.warning("catalogue not refreshed", plant=key[1], reason=failure.reason.value)
        finally:
            kept.fetching = None
        return None
