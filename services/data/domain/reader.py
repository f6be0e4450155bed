"""Answers about plants: which there are, what can be asked of one, and what its data say."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

from services.data.domain import answer, catalogue, query
from services.data.domain.answer import Answer
from services.data.domain.catalogue import Catalogue
from services.data.domain.metrics import Metric
from services.data.domain.plant import Plant
from services.data.domain.ports import Store
from services.data.domain.query import Query
from services.errors import Conflict, FailedPrecondition, Invalid, NotFound, Reason

# An import that lands between two steps of a question makes it start over; more than this is a flood of imports.
_ATTEMPTS = 4
_MAX_CACHED = 256
# Above this many groups an answer takes longer to put together than others should wait.
_LARGE = 5_000


class Reader:
    """Reads plants. Keeps the catalogues it has built, and checks before each use that none has grown old."""

    def __init__(self, store: Store, metrics: Mapping[str, Metric]) -> None:
        self._store = store
        self._metrics = metrics
        self._catalogues: OrderedDict[tuple[str, str], Catalogue] = OrderedDict()

    async def plants(self, tenant: str, after: str, limit: int) -> tuple[list[Plant], str]:
        """Return a page of plants by id and the last id of it, empty where no more follow."""
        found = await self._store.plants(tenant, after, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else ""

    async def plant(self, tenant: str, plant: str) -> Plant:
        """Return a plant. Raises NotFound (UNKNOWN_PLANT)."""
        record = await self._store.plant(tenant, plant)
        if record is None:
            raise unknown_plant(plant)
        return record.plant

    async def catalogue(self, tenant: str, plant: str) -> Catalogue:
        """Return the catalogue of a plant as it is now. Raises NotFound (UNKNOWN_PLANT)."""
        for _ in range(_ATTEMPTS):
            record = await self._store.plant(tenant, plant)
            if record is None:
                raise unknown_plant(plant)
            cached = self._catalogues.get((tenant, plant))
            if cached is not None and cached.store_version == record.version:
                return cached
            version, targets = await self._store.targets(tenant, plant)
            if version == record.version:
                return self._keep(tenant, catalogue.build(record, targets, self._metrics))
        raise _busy(plant)

    async def query(self, tenant: str, plant: str, asked: Query, as_of: datetime) -> Answer:
        """Answer a question. Raises NotFound (UNKNOWN_PLANT) and what `query.plan` raises."""
        known = self._catalogues.get((tenant, plant)) or await self.catalogue(tenant, plant)
        for _ in range(_ATTEMPTS):
            try:
                planned = query.plan(asked, known, as_of)
            except (Invalid, FailedPrecondition):
                # What the plant lacked a moment ago it may have by now.
                fresh = await self.catalogue(tenant, plant)
                if fresh.version == known.version:
                    raise
                known = fresh
                continue
            # The scan says which version its figures are of, so a fresh catalogue costs no round trip of its own.
            scanned = await self._store.scan(tenant, plant, planned.scan)
            if scanned is None:
                raise unknown_plant(plant)
            if scanned.version == known.store_version:
                if len(scanned.groups) > _LARGE:
                    return await asyncio.to_thread(answer.answer, planned, scanned.groups)
                return answer.answer(planned, scanned.groups)
            known = await self.catalogue(tenant, plant)
        raise _busy(plant)

    def _keep(self, tenant: str, built: Catalogue) -> Catalogue:
        self._catalogues[tenant, built.plant.id] = built
        self._catalogues.move_to_end((tenant, built.plant.id))
        while len(self._catalogues) > _MAX_CACHED:
            self._catalogues.popitem(last=False)
        return built


def unknown_plant(plant: str) -> NotFound:
    """Return the error of a plant that is not there."""
    return NotFound(f"there is no plant {plant}", Reason.UNKNOWN_PLANT, {"plant": plant})


def _busy(plant: str) -> Conflict:
    return Conflict(f"plant {plant} keeps changing; try again", retry_after=0.2)
