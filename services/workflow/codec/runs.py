"""Requests and responses of the service."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from factoryai.workflow.v1 import run_pb2, workflow_service_pb2

from services.chassis.call import Call
from services.workflow.codec.definitions import KIND_NUMBERS, decode_definition
from services.workflow.codec.failures import encode_failure
from services.workflow.codec.moments import moment, stamp
from services.workflow.codec.outputs import encode_output
from services.workflow.domain.engine import RunPage
from services.workflow.domain.runs import NodeResult, Run, RunRequest
from services.workflow.domain.states import NodeState, RunState
from services.workflow.domain.validator import Fault

_RUN_NUMBERS: Final = {state: run_pb2.RunState.Value(f"RUN_STATE_{state}") for state in RunState}
_RUN_STATES: Final[Mapping[int, RunState]] = {number: state for state, number in _RUN_NUMBERS.items()}
_NODE_NUMBERS: Final = {state: run_pb2.NodeState.Value(f"NODE_STATE_{state}") for state in NodeState}


def decode_start(request: workflow_service_pb2.StartRunRequest, call: Call) -> RunRequest:
    """Read a run to start, and who starts it. Raises Invalid for a time that no calendar has."""
    return RunRequest(
        tenant=call.tenant,
        plant=request.plant,
        principal=call.principal.subject,
        definition=decode_definition(request.definition),
        as_of=moment(request.as_of, "as_of") if request.HasField("as_of") else None,
        request_id=request.request_id,
        digest=_digest(request) if request.request_id else b"",
        deadline=call.deadline,
    )


def encode_start(run: Run, *, started: bool) -> workflow_service_pb2.StartRunResponse:
    """Write the run, and whether this call started it."""
    response = workflow_service_pb2.StartRunResponse(started=started)
    encode_run(response.run, run)
    return response


def encode_faults(faults: Iterable[Fault]) -> workflow_service_pb2.ValidateWorkflowResponse:
    """Write the faults of a definition."""
    return workflow_service_pb2.ValidateWorkflowResponse(
        faults=[
            workflow_service_pb2.WorkflowFault(field=fault.field, description=fault.description) for fault in faults
        ]
    )


def decode_name(name: str) -> str:
    """Read the id out of `runs/{id}`."""
    return name.removeprefix("runs/")


def encode_get(run: Run) -> workflow_service_pb2.GetRunResponse:
    """Write a run."""
    response = workflow_service_pb2.GetRunResponse()
    encode_run(response.run, run)
    return response


def decode_state(number: int) -> RunState | None:
    """Read a filter; None for all."""
    return _RUN_STATES.get(number)


def encode_page(page: RunPage) -> workflow_service_pb2.ListRunsResponse:
    """Write a page of runs."""
    response = workflow_service_pb2.ListRunsResponse(next_page_token=page.next_token)
    for run in page.runs:
        encode_run(response.runs.add(), run)
    return response


def encode_run(target: run_pb2.Run, run: Run) -> None:
    """Write a run, with its definition word for word where it has one."""
    target.name = f"runs/{run.id}"
    target.plant = run.plant
    if run.definition is not None:
        target.definition.ParseFromString(run.definition.wire)
    target.state = _RUN_NUMBERS[run.state]
    for result in run.results:
        _encode_result(target.node_results.add(), result)
    if run.failure is not None:
        target.error.CopyFrom(encode_failure(run.failure))
    stamp(target.as_of, run.as_of)
    stamp(target.create_time, run.created)
    if run.ended is not None:
        stamp(target.end_time, run.ended)
    target.principal = run.principal
    target.inline = run.inline


def _encode_result(target: run_pb2.NodeResult, result: NodeResult) -> None:
    target.node_id = result.node_id
    target.kind = KIND_NUMBERS[result.kind]
    target.state = _NODE_NUMBERS[result.state]
    target.attempts = result.attempts
    if result.output is not None:
        encode_output(target.output, result.output)
    if result.failure is not None:
        target.error.CopyFrom(encode_failure(result.failure))
    if result.started is not None:
        stamp(target.start_time, result.started)
    if result.ended is not None:
        stamp(target.end_time, result.ended)


def _digest(request: workflow_service_pb2.StartRunRequest) -> bytes:
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
