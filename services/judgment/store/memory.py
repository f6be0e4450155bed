"""Judgments in memory: for tests, and for a service that runs without a database."""

from dataclasses import replace

from services import errors
from services.judgment.domain.model import Judgment


class MemoryJudgmentStore:
    """A `JudgmentStore`; one event loop, so that each method is atomic."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Judgment] = {}
        self._requests: dict[tuple[str, str], str] = {}

    async def add(self, tenant: str, judgment: Judgment, request_id: str) -> tuple[Judgment, bool]:
        """Keep a judgment; see JudgmentStore."""
        earlier = self._requests.get((tenant, request_id)) if request_id else None
        if earlier is not None:
            return self._kept[tenant, earlier], False
        self._kept[tenant, judgment.id] = judgment
        if request_id:
            self._requests[tenant, request_id] = judgment.id
        return judgment, True

    async def get(self, tenant: str, judgment: str) -> Judgment:
        """Return a judgment; see JudgmentStore."""
        kept = self._kept.get((tenant, judgment))
        if kept is None:
            raise not_found(judgment)
        return kept

    async def list(self, tenant: str, before: str, limit: int) -> list[Judgment]:
        """Return a page; see JudgmentStore."""
        ids = sorted(
            (id_ for owner, id_ in self._kept if owner == tenant and (not before or id_ < before)), reverse=True
        )
        found = [self._kept[tenant, id_] for id_ in ids[:limit]]
        return [replace(each, verdict=replace(each.verdict, evidence=())) for each in found]


def not_found(judgment: str) -> errors.NotFound:
    """Build the error of a judgment that is not there."""
    return errors.NotFound(f"no such judgment: {judgment}", metadata={"resource": f"judgments/{judgment}"})
