"""Runs in PostgreSQL: a run, its results and its history are written by one statement in one transaction."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from factoryai.workflow.v1 import node_pb2, workflow_pb2
from google.rpc import status_pb2

from services.chassis.postgres import Database, Queries
from services.workflow.codec.definitions import decode_definition
from services.workflow.codec.failures import decode_failure, encode_failure
from services.workflow.codec.outputs import decode_output, encode_output
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
from services.workflow.domain.outputs import NodeOutput
from services.workflow.domain.runs import NodeResult, Page, Recorded, Run
from services.workflow.domain.states import NodeKind, NodeState, RunState

_KINDS: Final = {
    RunStarted: "RUN_STARTED",
    NodeSucceeded: "NODE_SUCCEEDED",
    NodeFailed: "NODE_FAILED",
    RetryDue: "RETRY_DUE",
    CancelRequested: "CANCEL_REQUESTED",
    RunTimedOut: "RUN_TIMED_OUT",
}


class PostgresRunStore:
    """A RunStore over the schema `workflow`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load("services.workflow.store")

    async def add(self, run: Run) -> Run:
        """Keep a run, or return the one that holds its id or request id."""
        row, results, events = _row(run), _results(run.results), _events(run.history)
        async with self._database.transaction(run.tenant) as connection:
            kept = await connection.fetchval(self._sql["insert_run"], *row, *results, *events)
            if kept is not None:
                return run
        # In a transaction of its own: whoever was faster has committed by now, or the insert would have waited.
        earlier = await self.get(run.tenant, run.id)
        if earlier is None:
            earlier = await self.by_request(run.tenant, run.request_id)
        return earlier if earlier is not None else run

    async def by_request(self, tenant: str, request_id: str) -> Run | None:
        """Return the run that holds a request id."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["find_run_by_request"], tenant, request_id)
            return await self._whole(connection, row) if row is not None else None

    async def get(self, tenant: str, run_id: str) -> Run | None:
        """Return a run."""
        async with self._database.transaction(tenant) as connection:
            row = await connection.fetchrow(self._sql["find_run"], tenant, UUID(run_id))
            return await self._whole(connection, row) if row is not None else None

    async def list(self, tenant: str, page: Page, state: RunState | None) -> Sequence[Run]:
        """Return a page of runs, newest first."""
        before = UUID(page.before) if page.before else None
        wanted = state.value if state is not None else None
        async with self._database.transaction(tenant) as connection:
            rows = await connection.fetch(self._sql["list_runs"], tenant, before, wanted, page.size)
        return [_listed(row, tenant) for row in rows]

    async def _whole(self, connection: asyncpg.Connection, row: asyncpg.Record) -> Run:
        results = await connection.fetch(self._sql["find_results"], row["tenant"], row["run_id"])
        events = await connection.fetch(self._sql["find_events"], row["tenant"], row["run_id"])
        found = tuple(_result(result) for result in results)
        outputs = {result.node_id: result.output for result in found if result.output is not None}
        definition = decode_definition(workflow_pb2.WorkflowDefinition.FromString(row["definition"]))
        return Run(
            id=str(row["run_id"]),
            tenant=row["tenant"],
            plant=row["plant"],
            principal=row["principal"],
            definition=definition,
            state=RunState(row["state"]),
            as_of=row["as_of"],
            created=row["created_at"],
            ended=row["ended_at"],
            failure=_failure(row["error"]),
            inline=row["inline"],
            request_id=row["request_id"],
            digest=row["request_digest"],
            results=found,
            history=tuple(Recorded(_event(event, outputs), event["at"]) for event in events),
        )


def _row(run: Run) -> tuple[Any, ...]:
    definition = run.definition
    if definition is None:
        raise ValueError("a run is kept with its definition")
    return (
        run.tenant,
        UUID(run.id),
        run.plant,
        run.principal,
        definition.wire,
        definition.id,
        definition.version,
        run.state.value,
        _status(run.failure),
        run.as_of,
        run.created,
        run.ended,
        run.inline,
        run.request_id,
        run.digest,
    )


def _results(results: Sequence[NodeResult]) -> tuple[list[Any], ...]:
    """Return one list a column."""
    return (
        [result.node_id for result in results],
        list(range(len(results))),
        [result.kind.value for result in results],
        [result.state.value for result in results],
        [result.attempts for result in results],
        [_output(result.output) for result in results],
        [_status(result.failure) for result in results],
        [result.started for result in results],
        [result.ended for result in results],
    )


def _events(history: Sequence[Recorded]) -> tuple[list[Any], ...]:
    """Return one list a column."""
    events = [recorded.event for recorded in history]
    return (
        list(range(len(events))),
        [_KINDS[type(event)] for event in events],
        [getattr(event, "node_id", "") for event in events],
        [getattr(event, "attempt", 0) for event in events],
        [getattr(event, "retryable", False) for event in events],
        [_status(getattr(event, "failure", None)) for event in events],
        [recorded.at for recorded in history],
    )


def _output(output: NodeOutput | None) -> bytes | None:
    if output is None:
        return None
    message = node_pb2.NodeOutput()
    encode_output(message, output)
    return message.SerializeToString()


def _status(failure: Failure | None) -> bytes | None:
    return encode_failure(failure).SerializeToString() if failure is not None else None


def _failure(status: bytes | None) -> Failure | None:
    return decode_failure(status_pb2.Status.FromString(status)) if status is not None else None


def _result(row: asyncpg.Record) -> NodeResult:
    return NodeResult(
        node_id=row["node_id"],
        kind=NodeKind(row["kind"]),
        state=NodeState(row["state"]),
        attempts=row["attempts"],
        output=decode_output(node_pb2.NodeOutput.FromString(row["output"])) if row["output"] is not None else None,
        failure=_failure(row["error"]),
        started=row["started_at"],
        ended=row["ended_at"],
    )


def _event(row: asyncpg.Record, outputs: dict[str, NodeOutput]) -> Event:
    node_id, attempt, failure = row["node_id"], row["attempt"], _failure(row["error"])
    match row["kind"], failure:
        case "RUN_STARTED", None:
            return RunStarted()
        case "NODE_SUCCEEDED", None:
            return NodeSucceeded(node_id, attempt, outputs[node_id])
        case "RETRY_DUE", None:
            return RetryDue(node_id, attempt)
        case "NODE_FAILED", Failure():
            return NodeFailed(node_id, attempt, failure, row["retryable"])
        case "CANCEL_REQUESTED", Failure():
            return CancelRequested(failure)
        case "RUN_TIMED_OUT", Failure():
            return RunTimedOut(failure)
        case kind, _:
            raise ValueError(f"an event of kind {kind} was kept that this release does not know")


def _listed(row: asyncpg.Record, tenant: str) -> Run:
    return Run(
        id=str(row["run_id"]),
        tenant=tenant,
        plant=row["plant"],
        principal=row["principal"],
        definition=None,
        state=RunState(row["state"]),
        as_of=row["as_of"],
        created=row["created_at"],
        ended=row["ended_at"],
        failure=_failure(row["error"]),
        inline=row["inline"],
        request_id=row["request_id"],
    )
