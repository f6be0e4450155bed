"""What people and services ask of the engine: start a run, check a definition, read runs."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.errors import AlreadyExists, DeadlineExceeded, FactoryError, FieldViolation, Invalid, NotFound, Reason
from services.paging import DEFAULT_PAGE_SIZE, decode_token, encode_token
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.definition import Definition
from services.workflow.domain.inline import InlineHost
from services.workflow.domain.nodes.table import runs_inline
from services.workflow.domain.ports import Clock, RunObserver, RunStore
from services.workflow.domain.runs import Journal, Page, Run, RunRequest
from services.workflow.domain.states import RunState
from services.workflow.domain.validator import Fault, refuse, validate

# Of the caller's budget, kept for the commit and the answer.
COMMIT_MARGIN_S: Final = 0.25
# How long the record of a run whose caller went away may take.
_FAREWELL_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RunPage:
    """A page of runs, newest first; `next_token` is empty at the end."""

    runs: tuple[Run, ...]
    next_token: str


class Engine:
    """The workflow engine of one process. `new_id` gives ids that sort by time."""

    def __init__(
        self,
        store: RunStore,
        host: InlineHost,
        observer: RunObserver,
        clock: Clock,
        *,
        new_id: Callable[[], str],
        conditions: Conditions,
    ) -> None:
        self._store = store
        self._host = host
        self._observer = observer
        self._clock = clock
        self._new_id = new_id
        self._conditions = conditions

    def check(self, definition: Definition) -> tuple[Fault, ...]:
        """Return every fault of a definition; empty where it may run."""
        return validate(definition, self._conditions)

    async def start(self, request: RunRequest) -> tuple[Run, bool]:
        """Run a definition; return the run and whether this call started it. The run is durable before that.

        A run that failed is an answer. Raises Invalid or Unimplemented for a definition that may not run,
        AlreadyExists (REQUEST_ID_REUSED), DeadlineExceeded where the budget is too short to begin, and Unavailable
        where the run cannot be recorded: then nothing is.
        """
        if not request.request_id.isprintable():
            violation = FieldViolation(
                "request_id", "a request_id has printable characters only", "request_id.printable"
            )
            raise Invalid("request_id: printable characters only", violations=(violation,))
        refuse(request.definition, self.check(request.definition))
        if request.request_id:
            earlier = await self._store.by_request(request.tenant, request.request_id)
            if earlier is not None:
                return _repeated(earlier, request), False
        until = self._until(request)
        created = self._clock.now()
        run = Run(
            id=self._new_id(),
            tenant=request.tenant,
            plant=request.plant,
            principal=request.principal,
            definition=request.definition,
            state=RunState.RUNNING,
            as_of=request.as_of or created,
            created=created,
            inline=runs_inline(request.definition),
            request_id=request.request_id,
            digest=request.digest,
        )
        return await self._run(run, request, until)

    async def get(self, tenant: str, run_id: str) -> Run:
        """Return a run. Raises NotFound."""
        run = await self._store.get(tenant, run_id) if _is_id(run_id) else None
        if run is None:
            raise NotFound(f"there is no run {run_id}", metadata={"resource": f"runs/{run_id}"})
        return run

    async def list(self, tenant: str, size: int, token: str, state: RunState | None) -> RunPage:
        """Return a page of runs. Raises Invalid (INVALID_PAGE_TOKEN)."""
        size = size or DEFAULT_PAGE_SIZE
        query = f"runs {state or ''}"
        runs = await self._store.list(tenant, Page(size + 1, decode_token(query, token)), state)
        kept = tuple(runs[:size])
        return RunPage(kept, encode_token(query, kept[-1].id) if len(runs) > size else "")

    async def _run(self, run: Run, request: RunRequest, until: float) -> tuple[Run, bool]:
        journal = Journal(request.definition)
        self._observer.began()
        try:
            await self._host.execute(run, journal, until)
            run = self._closed(run, journal)
            kept = await self._store.add(run)
        except asyncio.CancelledError:
            await self._farewell(self._closed(run, journal))
            raise
        except Exception as error:
            self._observer.lost(run.id, error)
            raise
        if kept.id != run.id:
            # Somebody with the same request id was faster. Runs like these have no effects, so ours just goes.
            self._observer.lost(run.id, AlreadyExists("another call with this request id was faster"))
            return _repeated(kept, request), False
        self._observer.ended(kept)
        return kept, True

    def _closed(self, run: Run, journal: Journal) -> Run:
        progress = journal.progress
        return replace(
            run,
            state=progress.state,
            ended=journal.history[-1].at,
            failure=progress.failure,
            results=journal.results(),
            history=tuple(journal.history),
        )

    async def _farewell(self, run: Run) -> None:
        """Record a run that its caller left. It holds no request id: a repetition of the call does the work."""
        try:
            async with asyncio.timeout(_FAREWELL_S):
                kept = await _shielded(self._store.add(replace(run, request_id="")))
        except (FactoryError, TimeoutError) as error:
            self._observer.lost(run.id, error)
        else:
            self._observer.ended(kept)

    def _until(self, request: RunRequest) -> float:
        now = self._clock.monotonic()
        until = now + request.definition.timeout_s
        if request.deadline is None:
            return until
        left = request.deadline - now
        if left <= 0:
            raise DeadlineExceeded("the caller's budget is spent")
        # A short budget gives its commit less, so that quick runs of hasty callers still get through.
        return min(until, request.deadline - min(COMMIT_MARGIN_S, left / 2))


async def _shielded(work: Coroutine[None, None, Run]) -> Run:
    """Finish a commit although the caller's task is being cancelled; a second cancellation ends the waiting."""
    return await asyncio.shield(asyncio.ensure_future(work))


def _repeated(earlier: Run, request: RunRequest) -> Run:
    if earlier.digest != request.digest:
        raise AlreadyExists(
            "this request_id came with another body before",
            reason=Reason.REQUEST_ID_REUSED,
            metadata={"request_id": request.request_id},
        )
    return earlier


def _is_id(text: str) -> bool:
    """Say whether a text can be the id of a run at all: stores are asked for nothing else."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
