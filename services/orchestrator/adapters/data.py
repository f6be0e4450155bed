"""Catalogues from the data layer, kept at hand and renewed beside the questions that use them."""

import asyncio
from dataclasses import dataclass

import structlog
from factoryai.data.v1 import data_service_pb2, data_service_pb2_grpc

from services.chassis.channels import Channels
from services.chassis.clock import Clock
from services.errors import FactoryError, NotFound, Reason
from services.orchestrator.adapters.budget import CallBudget
from services.orchestrator.codec import catalogs
from services.orchestrator.domain.plant import Catalog

log = structlog.get_logger(__name__)

_RENEWAL_S = 10.0


@dataclass(frozen=True, slots=True)
class _Kept:
    catalog: Catalog
    seen: float  # when the data layer last said that this is the newest, in seconds of the clock


class StubCatalogs:
    """`Catalogs` behind a channel, cached by tenant and plant.

    Younger than `fresh_s`: used. Older: used, and renewed in the background. Older than `stale_s`: renewed first.
    """

    def __init__(self, channels: Channels, clock: Clock, *, fresh_s: float = 5.0, stale_s: float = 60.0) -> None:
        self._stub = data_service_pb2_grpc.DataServiceStub(channels.channel("data"))
        self._clock = clock
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self._budget = CallBudget()
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._renewing: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def get(self, tenant: str, plant: str, *, max_age: float | None = None) -> Catalog:
        """Return the catalogue; see Catalogs."""
        key = (tenant, plant)
        kept = self._kept.get(key)
        if kept is None:
            return await self._renew(key)
        age = self._clock.monotonic() - kept.seen
        if age > (self._stale_s if max_age is None else max_age):
            return await self._renew(key)
        if age > self._fresh_s and key not in self._renewing:
            task = asyncio.create_task(self._renew_quietly(key), name=f"renew catalogue {plant}")
            self._renewing[key] = task
            task.add_done_callback(lambda _: self._renewing.pop(key, None))
        return kept.catalog

    async def close(self) -> None:
        """Stop renewing."""
        tasks = list(self._renewing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _renew(self, key: tuple[str, str]) -> Catalog:
        kept = self._kept.get(key)
        asked = self._clock.monotonic()
        request = data_service_pb2.GetCatalogRequest(
            plant=f"plants/{key[1]}", known_version=kept.catalog.version if kept else ""
        )
        try:
            response = await self._stub.GetCatalog(request)
        except NotFound as missing:
            self._kept.pop(key, None)
            if missing.reason is Reason.UNKNOWN_PLANT:
                raise
            raise NotFound(missing.message, reason=Reason.UNKNOWN_PLANT, metadata={"plant": key[1]}) from missing
        catalog = kept.catalog if kept and response.unchanged else catalogs.catalog(response.catalog)
        self._kept[key] = _Kept(catalog, asked)
        return catalog

    async def _renew_quietly(self, key: tuple[str, str]) -> None:
        try:
            with self._budget.lend(_RENEWAL_S):
                await self._renew(key)
        except FactoryError as failure:
            # What is kept stays in use until it is too old; then the question itself meets the error.
            log.warning("catalogue not renewed", plant=key[1], error=str(failure))
