"""Loading the sample plant, and extending it to the present."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.data.domain import sample
from services.data.domain.plant import Plant
from services.data.domain.ports import Store
from services.data.domain.sample_model import SampleModel
from services.errors import FailedPrecondition, FieldViolation, Invalid, Reason

_YEARS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
# A plant that slept for longer would take minutes to catch up.
_LONGEST = timedelta(days=3 * 366)


class Sampler:
    """Keeps the sample plant in a store."""

    def __init__(self, store: Store, model: SampleModel) -> None:
        self._store = store
        self._model = model

    async def load(self, tenant: str, end: datetime, seed: int) -> tuple[Plant, int]:
        """Load 90 days that end at `end`, or add what is missing up to it. Returns the plant and the rows added.

        `seed` 0 means 42, or that of the plant that is there. Raises FailedPrecondition (INVALID_STATE) where the
        plant was generated from another seed, or is not a generated one; Invalid where `end` is out of all time or
        more than three years after the plant's; Conflict where two calls race.
        """
        if not _YEARS[0] <= end <= _YEARS[1]:
            raise _bad_end(f"lies between {_YEARS[0]:%Y} and {_YEARS[1]:%Y}")
        plant_id = self._model.plant.id
        existing = await self._store.sample(tenant, plant_id)
        if existing is None and await self._store.plant(tenant, plant_id) is not None:
            raise _refused(plant_id, "is not a generated plant")
        if existing is not None and seed not in {0, existing.seed}:
            raise _refused(plant_id, f"was generated from seed {existing.seed}")
        if existing is not None and end - existing.end > _LONGEST:
            raise _bad_end(f"lies at most {_LONGEST.days} days after the plant's own, {existing.end:%Y-%m-%d}")
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


def _bad_end(description: str) -> Invalid:
    return Invalid(f"end_time {description}", violations=(FieldViolation("end_time", description, "sample.end"),))


def _refused(plant_id: str, why: str) -> FailedPrecondition:
    metadata = {"resource": f"plants/{plant_id}", "state": "EXISTS"}
    return FailedPrecondition(f"plant {plant_id} {why}", Reason.INVALID_STATE, metadata)
