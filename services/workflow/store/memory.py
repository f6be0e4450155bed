"""Runs in memory, for development without a database."""

from collections.abc import Sequence
from dataclasses import replace

from services.workflow.domain.runs import Page, Run
from services.workflow.domain.states import RunState


class MemoryRunStore:
    """A RunStore that forgets everything at the end of the process."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}
        self._requests: dict[tuple[str, str], str] = {}

    async def add(self, run: Run) -> Run:
        """Keep a run, or return the one that holds its id or request id."""
        earlier = self._runs.get((run.tenant, run.id))
        if earlier is None and run.request_id:
            earlier = await self.by_request(run.tenant, run.request_id)
        if earlier is not None:
            return earlier
        self._runs[run.tenant, run.id] = run
        if run.request_id:
            self._requests[run.tenant, run.request_id] = run.id
        return run

    async def by_request(self, tenant: str, request_id: str) -> Run | None:
        """Return the run that holds a request id."""
        run_id = self._requests.get((tenant, request_id))
        return self._runs[tenant, run_id] if run_id is not None else None

    async def get(self, tenant: str, run_id: str) -> Run | None:
        """Return a run."""
        return self._runs.get((tenant, run_id))

    async def list(self, tenant: str, page: Page, state: RunState | None) -> Sequence[Run]:
        """Return a page of runs, newest first."""
        found = sorted(
            (
                run
                for (owner, run_id), run in self._runs.items()
                if owner == tenant and (not page.before or run_id < page.before) and state in {None, run.state}
            ),
            key=lambda run: run.id,
            reverse=True,
        )
        return [replace(run, definition=None, results=(), history=(), digest=b"") for run in found[: page.size]]
