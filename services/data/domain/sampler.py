"""Loading the sample plant, and extending it to the present."""

import asyncio
from dataclasses import replace
from datetime import datetime

from services.data.domain import sample
from services.data.domain.plant import Plant
from services.data.domain.ports import Store
from services.data.domain.sample_model import SampleModel
from services.errors import FailedPrecondition, Reason


class Sampler:
    """Keeps the sample plant in a store."""

    def __init__(self, store: Store, model: SampleModel) -> None:
        self._store = store
        self._model = model

    async def load(self, tenant: str, end: datetime, seed: int) -> tuple[Plant, int]:
        """Load 90 days that end at `end`, or add what is missing up to it. Returns the plant and the rows added.

        `seed` 0 means 42, or that of the plant that is there. Raises FailedPrecondition (INVALID_STATE) where the
        plant was generated from another seed, or is not a generated one; Conflict where two calls race.
        """
        plant_id = self._model.plant.id
        existing = await self._store.sample(tenant, plant_id)
        if existing is None and await self._store.plant(tenant, plant_id) is not None:
            raise _refused(plant_id, "is not a generated plant")
        if existing is not None and seed not in {0, existing.seed}:
            raise _refused(plant_id, f"was generated from seed {existing.seed}")
        state = sample.state_at(end, seed or sample.DEFAULT_SEED, existing)
        start = existing.end if existing else sample.start_of(state)
        inserted = 0
        plant = replace(self._model.plant.plant(), synthetic=True)
        for piece_start, piece_end in sample.pieces(start, state.end):
            batch = await asyncio.to_thread(sample.batch, self._model, state, piece_start, piece_end)
            reached = replace(state, end=piece_end)
            counts = await self._store.extend_sample(tenant, batch, reached, existing)
            existing = reached
            inserted += counts.inserted
        return plant, inserted


def _refused(plant_id: str, why: str) -> FailedPrecondition:
    metadata = {"resource": f"plants/{plant_id}", "state": "EXISTS"}
    return FailedPrecondition(f"plant {plant_id} {why}", Reason.INVALID_STATE, metadata)
