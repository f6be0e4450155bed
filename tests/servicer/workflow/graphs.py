"""Definitions as tests write them down."""

from typing import Any

from factoryai.data.v1 import analysis_pb2
from factoryai.type.v1 import time_window_pb2
from factoryai.workflow.v1 import node_pb2, workflow_pb2
from factoryai.workflow.v1 import workflow_service_pb2 as pb
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

PLANT = "plants/sample"


def data_node(node_id: str = "fetch", *, backoff_ms: int = 1, **query: Any) -> node_pb2.Node:
    window = time_window_pb2.TimeWindow(
        start_time=Timestamp(seconds=1_772_290_800), end_time=Timestamp(seconds=1_772_377_200), label="yesterday"
    )
    return node_pb2.Node(
        id=node_id,
        kind=node_pb2.NODE_KIND_DATA,
        data=node_pb2.DataNode(query=analysis_pb2.Query(metrics=["defect_rate"], windows=[window], **query)),
        retry=node_pb2.RetryPolicy(initial_backoff=Duration(nanos=backoff_ms * 1_000_000)),
    )


def code_node(node_id: str, template: str, *inputs: str) -> node_pb2.Node:
    return node_pb2.Node(
        id=node_id,
        kind=node_pb2.NODE_KIND_CODE,
        code=node_pb2.CodeNode(template=template, input_nodes=inputs),
    )


def definition(*nodes: node_pb2.Node, ways: str = "", **given: Any) -> workflow_pb2.WorkflowDefinition:
    edges = []
    for way in ways.split():
        ends, _, when = way.partition(":")
        source, target = ends.split(">")
        edges.append(node_pb2.Edge(source=source, target=target, when=when))
    return workflow_pb2.WorkflowDefinition(id="plan_check", version=1, nodes=nodes, edges=edges, **given)


def check(**given: Any) -> workflow_pb2.WorkflowDefinition:
    return definition(data_node(), code_node("facts", "check_facts", "fetch"), ways="fetch>facts", **given)


def start(what: workflow_pb2.WorkflowDefinition | None = None, **given: Any) -> pb.StartRunRequest:
    return pb.StartRunRequest(plant=PLANT, definition=what or check(), **given)


def switch(**given: Any) -> node_pb2.Node:
    return node_pb2.Node(
        id="choose", kind=node_pb2.NODE_KIND_SWITCH, switch=node_pb2.SwitchNode(input_node="fetch", **given)
    )


def branching(choose: node_pb2.Node) -> workflow_pb2.WorkflowDefinition:
    return definition(
        data_node(),
        choose,
        code_node("bad", "check_facts", "fetch"),
        code_node("fine", "check_facts", "fetch"),
        ways="fetch>choose choose>bad:critical choose>fine:normal",
    )
