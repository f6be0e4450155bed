import pytest
from factoryai.orchestrator.v1 import orchestrator_service_pb2
from factoryai.workflow.v1 import workflow_service_pb2

from services.chassis.instants import ill_formed


@pytest.mark.parametrize(("nanos", "fine"), [(0, True), (999_999_999, True), (-1, False), (1_000_000_000, False)])
def test_an_instant_keeps_its_nanoseconds_within_a_second(nanos: int, fine: bool) -> None:  # noqa: FBT001
    request = orchestrator_service_pb2.AskRequest(question="x")
    request.as_of.seconds, request.as_of.nanos = 1_795_000_000, nanos
    assert [violation.field for violation in ill_formed(request)] == ([] if fine else ["as_of"])


def test_values_are_found_however_deep_they_stand() -> None:
    request = workflow_service_pb2.StartRunRequest()
    node = request.definition.nodes.add()
    node.timeout.nanos = -2_000_000_000
    node.data.query.windows.add().end_time.nanos = -1
    assert {violation.field for violation in ill_formed(request)} == {
        "definition.nodes[0].timeout",
        "definition.nodes[0].data.query.windows[0].end_time",
    }


def test_an_empty_request_has_none() -> None:
    assert ill_formed(workflow_service_pb2.StartRunRequest()) == ()
