"""Memory and PostgreSQL keep runs alike."""

import asyncio
import importlib.resources
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from factoryai.data.v1 import analysis_pb2
from factoryai.type.v1 import value_pb2
from factoryai.workflow.v1 import node_pb2, workflow_pb2

from services.chassis.clock import SystemClock
from services.chassis.ids import new_id
from services.chassis.metrics import Metrics
from services.chassis.postgres import Database
from services.errors import FieldViolation, Reason, Unavailable
from services.workflow.codec.definitions import decode_definition
from services.workflow.codec.outputs import decode_data
from services.workflow.domain.events import (
    CancelRequested,
    Event,
    NodeFailed,
    NodeSucceeded,
    RetryDue,
    RunStarted,
    RunTimedOut,
)
from services.workflow.domain.failure import Failure
from services.workflow.domain.figures import Evidence, EvidenceKind, Fact, Text, Window
from services.workflow.domain.outputs import CodeOutput, SwitchOutput
from services.workflow.domain.ports import RunStore
from services.workflow.domain.runs import Journal, Page, Run
from services.workflow.domain.states import RunState, Severity
from services.workflow.store import migrations
from services.workflow.store.memory import MemoryRunStore
from services.workflow.store.postgres import PostgresRunStore
from tests.support.server import until

NOW = datetime(2026, 3, 2, 6, 0, 0, 123456, tzinfo=UTC)
DOWN = Failure(
    "UNAVAILABLE",
    Reason.DEPENDENCY_UNAVAILABLE,
    "down",
    metadata=(("dependency", "data"),),
    violations=(FieldViolation("query", "too much", "query.size"),),
    retry_after=1.5,
)


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(
        postgres_url, "workflow", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
    )
    await database.start()
    await until(database.ready, 30)
    yield database
    await database.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest, database: Database) -> RunStore:
    return MemoryRunStore() if request.param == "memory" else PostgresRunStore(database)


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


WIRE = workflow_pb2.WorkflowDefinition(
    id="plan",
    version=3,
    nodes=[
        node_pb2.Node(id="fetch", kind=node_pb2.NODE_KIND_DATA, data=node_pb2.DataNode()),
        node_pb2.Node(id="choose", kind=node_pb2.NODE_KIND_SWITCH, switch=node_pb2.SwitchNode(input_node="fetch")),
        node_pb2.Node(id="facts", kind=node_pb2.NODE_KIND_CODE, code=node_pb2.CodeNode(template="check_facts")),
        node_pb2.Node(id="other", kind=node_pb2.NODE_KIND_CODE, code=node_pb2.CodeNode(template="check_facts")),
    ],
    edges=[
        node_pb2.Edge(source="fetch", target="choose"),
        node_pb2.Edge(source="choose", target="facts", when="bad"),
        node_pb2.Edge(source="choose", target="other", when="fine"),
    ],
)
DEFINITION = decode_definition(WIRE)
FIGURES = decode_data(
    analysis_pb2.QueryResult(
        table=value_pb2.Table(row_count=2, columns=[value_pb2.Column(id="oee", numbers=[0.1, 0.2], null_rows=[1])]),
        freshness=value_pb2.Freshness(stale=True),
    )
)
EVIDENCE = Evidence(
    id="e1",
    kind=EvidenceKind.MEASUREMENT,
    source="production",
    metric="oee",
    targets=("line:L01",),
    window=Window(NOW - timedelta(days=1), NOW, "yesterday", "어제"),
    value=0.1,
    threshold=0.85,
    unit="1",
    rule="r",
    row_count=48,
    description=Text("값", "figure"),
    severity=Severity.CRITICAL,
)
FACTS = (Fact("value", "oee", 0.1, "1", "line:L01", NOW), Fact("severity", "oee", text="CRITICAL"), Fact("change"))
DONE: tuple[Event, ...] = (
    RunStarted(),
    NodeFailed("fetch", 1, DOWN, retryable=True),
    RetryDue("fetch", 2),
    NodeSucceeded("fetch", 2, FIGURES),
    NodeSucceeded("choose", 1, SwitchOutput(("bad",), Severity.CRITICAL, (EVIDENCE,))),
    NodeSucceeded("facts", 1, CodeOutput(FACTS, Severity.CRITICAL, (EVIDENCE,))),
)


def finished(tenant: str, *events: Event, **given: str | bytes) -> Run:
    journal = Journal(DEFINITION)
    for seconds, event in enumerate(events or DONE):
        journal.note(event, NOW + timedelta(seconds=seconds))
    run = Run(
        id=new_id(SystemClock()),
        tenant=tenant,
        plant="plants/sample",
        principal="kim",
        definition=DEFINITION,
        state=journal.progress.state,
        as_of=NOW - timedelta(hours=1),
        created=NOW,
        ended=journal.history[-1].at,
        failure=journal.progress.failure,
        results=journal.results(),
        history=tuple(journal.history),
    )
    return replace(run, **given)  # type: ignore[arg-type] # names and types stand at the callers


async def test_a_run_is_read_as_it_was_kept(store: RunStore, tenant: str) -> None:
    run = finished(tenant, request_id="r", digest=b"d")
    assert run.state is RunState.SUCCEEDED
    assert await store.add(run) == run
    assert await store.get(tenant, run.id) == run
    assert await store.by_request(tenant, "r") == run


async def test_a_kept_history_replays_to_the_same_results(store: RunStore, tenant: str) -> None:
    """What a later release has to be able to do with what this one wrote."""
    run = finished(tenant)
    await store.add(run)
    read = await store.get(tenant, run.id)
    assert read is not None
    assert read.definition is not None
    journal = Journal.replay(read.definition, read.history)
    assert journal.results() == read.results
    assert journal.progress.state is read.state


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (NodeFailed("fetch", 1, DOWN, retryable=False), RunState.FAILED),
        (CancelRequested(DOWN), RunState.CANCELLED),
        (RunTimedOut(DOWN), RunState.TIMED_OUT),
    ],
)
async def test_runs_that_did_not_succeed_keep_why(store: RunStore, tenant: str, last: Event, state: RunState) -> None:
    run = finished(tenant, RunStarted(), last)
    await store.add(run)
    read = await store.get(tenant, run.id)
    assert read == run
    assert read is not None
    assert (read.state, read.failure) == (state, DOWN)
    assert read.results[0].failure == DOWN


async def test_a_request_id_is_held_by_one_run(store: RunStore, tenant: str) -> None:
    first, second = finished(tenant, request_id="same"), finished(tenant, request_id="same")
    await store.add(first)
    assert await store.add(second) == first
    assert await store.get(tenant, second.id) is None
    assert await store.by_request(tenant, "other") is None


async def test_runs_without_a_request_id_stand_beside_each_other(store: RunStore, tenant: str) -> None:
    for run in (finished(tenant), finished(tenant)):
        await store.add(run)
    assert await store.by_request(tenant, "") is None
    assert len(await store.list(tenant, Page(10), None)) == 2


async def test_keeping_a_run_again_changes_nothing(store: RunStore, tenant: str) -> None:
    """As after a commit whose answer was lost."""
    run = finished(tenant, request_id="once")
    await store.add(run)
    again = replace(run, state=RunState.CANCELLED, request_id="", results=(), history=())
    assert await store.add(again) == run
    assert await store.get(tenant, run.id) == run


async def test_of_many_at_once_one_is_kept(store: RunStore, tenant: str) -> None:
    kept = await asyncio.gather(*(store.add(finished(tenant, request_id="race")) for _ in range(8)))
    assert len({run.id for run in kept}) == 1
    assert len(await store.list(tenant, Page(10), None)) == 1


async def test_lists_are_newest_first_by_page_and_state(store: RunStore, tenant: str) -> None:
    good = [finished(tenant) for _ in range(4)]
    bad = finished(tenant, RunStarted(), RunTimedOut(DOWN))
    for run in (*good, bad):
        await store.add(run)
    everything = await store.list(tenant, Page(10), None)
    assert [run.id for run in everything] == [bad.id, *(run.id for run in reversed(good))]
    assert [run.id for run in await store.list(tenant, Page(2, good[3].id), None)] == [good[2].id, good[1].id]
    assert [run.id for run in await store.list(tenant, Page(10), RunState.TIMED_OUT)] == [bad.id]
    assert everything[0] == replace(bad, definition=None, results=(), history=())


async def test_tenants_are_apart(store: RunStore, tenant: str) -> None:
    run = finished(tenant, request_id="r")
    await store.add(run)
    other = f"{tenant}-other"
    assert await store.get(other, run.id) is None
    assert await store.by_request(other, "r") is None
    assert not await store.list(other, Page(10), None)
    elsewhere = replace(run, tenant=other)
    assert await store.add(elsewhere) == elsewhere


async def test_a_run_is_whole_or_not_at_all(database: Database, tenant: str) -> None:
    """A result that breaks its key takes the run and its history with it."""
    run = finished(tenant)
    twice = replace(run, results=(*run.results, run.results[0]))
    store = PostgresRunStore(database)
    with pytest.raises(asyncpg.UniqueViolationError):
        await store.add(twice)
    assert await store.get(tenant, run.id) is None
    async with database.transaction(tenant) as connection:
        for table in ("run", "node_result", "run_event"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - names of ours


async def test_a_store_out_of_reach_says_so(postgres_url: str) -> None:
    closed = Database(
        postgres_url, "workflow", importlib.resources.files(migrations), clock=SystemClock(), metrics=Metrics()
    )
    store = PostgresRunStore(closed)
    with pytest.raises(Unavailable):
        await store.add(finished("default"))
    with pytest.raises(Unavailable):
        await store.get("default", new_id(SystemClock()))
