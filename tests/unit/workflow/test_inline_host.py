"""The inline host: concurrency, time limits, retries, calling off, and what becomes of the record."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.errors import (
    AlreadyExists,
    DeadlineExceeded,
    FactoryError,
    Internal,
    Invalid,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.definition import (
    DataConfig,
    Definition,
    Edge,
    JudgmentConfig,
    Node,
    RetryPolicy,
    RuleSetRef,
)
from services.workflow.domain.engine import Engine
from services.workflow.domain.figures import Judgment, Query, QueryResult, Window
from services.workflow.domain.inline import InlineHost, RetryBudget
from services.workflow.domain.nodes.table import runs_inline
from services.workflow.domain.nodes.work import Tools
from services.workflow.domain.outputs import DataOutput, JudgmentOutput
from services.workflow.domain.ports import RuleCase, RuleVerdict
from services.workflow.domain.runs import Journal, Run, RunRequest
from services.workflow.domain.states import NodeKind, NodeState, RunState, Severity
from services.workflow.store.memory import MemoryRunStore

NOW = datetime(2026, 3, 2, tzinfo=UTC)
FIGURES = DataOutput(QueryResult({}, 0, {}), b"")
Reads = Callable[[str], Awaitable[None]]


class World:
    """Everything outside: `reads` is called with the first metric of each question that is asked."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self.keys: list[str] = []

    async def query(self, plant: str, query: Query, as_of: datetime) -> DataOutput:
        assert plant == "plants/sample"
        assert as_of.tzinfo is not None
        await self._reads(query.metrics[0])
        return FIGURES

    async def judge(self, plant: str, task: bytes, data: DataOutput, key: str) -> JudgmentOutput:
        assert (plant, data) == ("plants/sample", FIGURES)
        self.keys.append(key)
        if len(self.keys) == 1:
            raise Unavailable("down", retry_after=None)
        return JudgmentOutput(Judgment("judgments/1", "oee", Severity.NORMAL, 1.0), task)

    async def evaluate(self, rule_set: RuleSetRef, cases: Sequence[RuleCase]) -> RuleVerdict:
        raise NotImplementedError(f"{rule_set} {cases}")


class Heard:
    """What the engine told its observer."""

    def __init__(self) -> None:
        self.under_way = 0
        self.ends: list[RunState] = []
        self.losses: list[Exception] = []

    def began(self) -> None:
        self.under_way += 1

    def ended(self, run: Run) -> None:
        self.under_way -= 1
        self.ends.append(run.state)

    def lost(self, run_id: str, error: Exception) -> None:
        assert run_id
        self.under_way -= 1
        self.losses.append(error)


class Broken(MemoryRunStore):
    """A store that is out of reach for writing."""

    async def add(self, run: Run) -> Run:
        raise Unavailable(f"cannot keep {run.id}")


def read(node_id: str, **given: float | RetryPolicy) -> Node:
    query = Query((node_id,), (Window(NOW, NOW + timedelta(days=1)),))
    quick = RetryPolicy(initial_backoff_s=0.0001)
    return replace(Node(node_id, NodeKind.DATA, DataConfig(query), quick), **given)  # type: ignore[arg-type]


def fan(*node_ids: str, timeout_s: float = 5) -> Definition:
    """Return a graph in which `first` is followed by all the others, and these by `last`."""
    edges = [edge for node_id in node_ids for edge in (Edge("first", node_id), Edge(node_id, "last"))]
    nodes = (read("first"), *map(read, node_ids), read("last"))
    return Definition("fan", 1, nodes, tuple(edges), timeout_s)


def chain(*nodes: Node, timeout_s: float = 5) -> Definition:
    edges = tuple(Edge(a.id, b.id) for a, b in itertools.pairwise(nodes))
    return Definition("chain", 1, nodes, edges, timeout_s)


def engine(reads: Reads, store: MemoryRunStore | None = None, world: World | None = None) -> tuple[Engine, Heard]:
    clock, heard, conditions = SystemClock(), Heard(), Conditions()
    outside = world or World(reads)
    host = InlineHost(Tools(outside, outside, outside, conditions), clock, chance=random.Random(1))  # noqa: S311
    ids = Engine(
        store if store is not None else MemoryRunStore(),
        host,
        heard,
        clock,
        new_id=lambda: new_id(clock),
        conditions=conditions,
    )
    return ids, heard


def request(definition: Definition, **given: str | float | bytes) -> RunRequest:
    asked = RunRequest("default", "plants/sample", "kim", definition)
    return replace(asked, **given)  # type: ignore[arg-type]


async def nothing(_: str) -> None:
    pass


def states(run: Run) -> dict[str, NodeState]:
    return {result.node_id: result.state for result in run.results}


async def test_independent_nodes_run_at_the_same_time() -> None:
    together = asyncio.Barrier(3)

    async def reads(node_id: str) -> None:
        if node_id in "abc":
            await together.wait()  # nobody passes alone

    works, heard = engine(reads)
    run, started = await works.start(request(fan("a", "b", "c")))
    assert (run.state, started) == (RunState.SUCCEEDED, True)
    assert run.results[-1].node_id == "last"
    assert (heard.ends, heard.under_way) == ([RunState.SUCCEEDED], 0)


async def test_a_failure_calls_off_what_runs_beside_it() -> None:
    forever, called_off = asyncio.Event(), asyncio.Event()

    async def reads(node_id: str) -> None:
        if node_id == "a":
            raise PermissionDenied("not yours")
        if node_id == "b":
            try:
                await forever.wait()
            finally:
                called_off.set()

    works, _ = engine(reads)
    run, _ = await works.start(request(fan("a", "b")))
    assert run.state is RunState.FAILED
    assert run.failure is not None
    assert run.failure.code == "PERMISSION_DENIED"
    assert states(run)["last"] is NodeState.UNSPECIFIED
    assert called_off.is_set()


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (Unavailable("down", retry_after=None), 3),
        (DeadlineExceeded("late"), 3),
        (NotFound("none"), 1),
        (Invalid("no"), 1),
    ],
)
async def test_only_what_may_pass_is_tried_again(error: FactoryError, attempts: int) -> None:
    tries = 0

    async def reads(_: str) -> None:
        nonlocal tries
        tries += 1
        raise error

    works, _ = engine(reads)
    run, _ = await works.start(request(chain(read("only"))))
    assert (run.state, tries, run.results[0].attempts) == (RunState.FAILED, attempts, attempts)


async def test_an_attempt_has_a_time_limit_of_its_own() -> None:
    tries = 0

    async def reads(_: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.Event().wait()

    works, _ = engine(reads)
    run, _ = await works.start(request(chain(read("only", timeout_s=0.01))))
    assert (run.state, run.results[0].attempts) == (RunState.SUCCEEDED, 2)


async def test_a_run_has_a_time_limit() -> None:
    async def reads(_: str) -> None:
        await asyncio.Event().wait()

    works, heard = engine(reads)
    run, _ = await works.start(request(chain(read("only"), timeout_s=0.01)))
    assert run.state is RunState.TIMED_OUT
    assert states(run) == {"only": NodeState.FAILED}
    assert heard.ends == [RunState.TIMED_OUT]


async def test_a_spent_budget_begins_nothing() -> None:
    works, heard = engine(nothing)
    with pytest.raises(DeadlineExceeded):
        await works.start(request(chain(read("only")), deadline=SystemClock().monotonic() - 1))
    assert heard.under_way == 0


async def test_a_judgment_keeps_its_key_over_attempts() -> None:
    world = World(nothing)
    works, _ = engine(nothing, world=world)
    fetch = read("fetch")
    quick = RetryPolicy(initial_backoff_s=0.0001)
    judge = Node("judge", NodeKind.JUDGMENT, JudgmentConfig("fetch", "fetch", b"task"), quick)
    run, _ = await works.start(request(chain(fetch, judge)))
    assert run.state is RunState.SUCCEEDED
    assert world.keys == [f"{run.id}:judge:0"] * 2


async def test_a_run_that_cannot_be_kept_is_no_run() -> None:
    store = Broken()
    works, heard = engine(nothing, store)
    with pytest.raises(Unavailable):
        await works.start(request(chain(read("only")), request_id="r"))
    assert await store.by_request("default", "r") is None
    assert (heard.under_way, len(heard.losses)) == (0, 1)


async def test_a_caller_who_leaves_is_recorded_without_the_request_id() -> None:
    begun = asyncio.Event()

    async def reads(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    store = MemoryRunStore()
    works, heard = engine(reads, store)
    call = asyncio.create_task(works.start(request(chain(read("only")), request_id="r")))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert heard.ends == [RunState.CANCELLED]
    assert await store.by_request("default", "r") is None


async def test_a_caller_who_leaves_a_broken_store_is_only_heard_of() -> None:
    begun = asyncio.Event()

    async def reads(_: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    works, heard = engine(reads, Broken())
    call = asyncio.create_task(works.start(request(chain(read("only")))))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (heard.under_way, [type(loss) for loss in heard.losses]) == (0, [Unavailable])


async def test_a_bug_goes_on_as_it_is_and_leaves_nothing_running() -> None:
    beside = asyncio.Event()

    async def reads(node_id: str) -> None:
        if node_id == "a":
            raise ZeroDivisionError
        if node_id == "b":
            try:
                await asyncio.Event().wait()
            finally:
                beside.set()

    works, heard = engine(reads)
    with pytest.raises(ZeroDivisionError):
        await works.start(request(fan("a", "b")))
    assert beside.is_set()
    assert (heard.under_way, len(heard.losses)) == (0, 1)


async def test_the_slower_of_two_equal_requests_takes_the_other_run() -> None:
    gate = asyncio.Barrier(2)

    async def reads(_: str) -> None:
        await gate.wait()

    works, heard = engine(reads)
    asked = request(chain(read("only")), request_id="r", digest=b"same")
    (first, mine), (second, theirs) = await asyncio.gather(works.start(asked), works.start(asked))
    assert first.id == second.id
    assert {mine, theirs} == {True, False}
    assert heard.under_way == 0


async def test_the_slower_of_two_different_requests_under_one_id_is_refused() -> None:
    gate = asyncio.Barrier(2)

    async def reads(_: str) -> None:
        await gate.wait()

    works, _ = engine(reads)
    calls = (works.start(request(chain(read("only")), request_id="r", digest=each)) for each in (b"a", b"b"))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyExists", "tuple"]
    assert any(isinstance(outcome, AlreadyExists) for outcome in outcomes)


def test_retries_stay_a_fifth_of_the_attempts() -> None:
    budget = RetryBudget()
    free = sum(budget.take() for _ in range(100))
    assert free == 20
    taken = 0
    for _ in range(1000):
        budget.attempted()
        taken += budget.take()
    assert taken == pytest.approx(200, abs=1)


async def test_without_a_budget_a_failure_is_final() -> None:
    async def reads(_: str) -> None:
        raise Unavailable("down", retry_after=None)

    works, _ = engine(reads)
    attempts = [(await works.start(request(chain(read("only")))))[0].results[0].attempts for _ in range(30)]
    assert attempts[0] == 3
    assert attempts[-1] == 1


async def test_what_waits_or_acts_is_not_run_inline() -> None:
    acting = chain(read("a"), Node("b", NodeKind.ACTION, None))
    assert runs_inline(chain(read("a")))
    assert not runs_inline(acting)
    world = World(nothing)
    host = InlineHost(Tools(world, world, world, Conditions()), SystemClock(), chance=random.Random(1))  # noqa: S311
    run = Run("r", "default", "plants/sample", "kim", acting, RunState.RUNNING, NOW, NOW)
    with pytest.raises(Internal):
        await host.execute(run, Journal(acting), until=SystemClock().monotonic() + 1)
