"""Definitions. The message itself travels along as bytes, so that a run stays on it word for word."""

from typing import Final

from factoryai.data.v1 import analysis_pb2
from factoryai.workflow.v1 import node_pb2, workflow_pb2

from services.workflow.codec.moments import seconds_of
from services.workflow.codec.values import DIMENSIONS, GRAINS, decode_scalar, decode_window
from services.workflow.domain.definition import (
    DEFAULT_NODE_TIMEOUT_S,
    DEFAULT_RUN_TIMEOUT_S,
    JUDGMENT_TIMEOUT_S,
    CodeConfig,
    Config,
    DataConfig,
    Definition,
    Edge,
    JudgmentConfig,
    Node,
    RetryPolicy,
    RuleSetRef,
    SwitchCase,
    SwitchConfig,
)
from services.workflow.domain.figures import Grain, Query
from services.workflow.domain.states import NodeKind

KINDS: Final = {node_pb2.NodeKind.Value(f"NODE_KIND_{kind}"): kind for kind in NodeKind}
KIND_NUMBERS: Final = {kind: number for number, kind in KINDS.items()}
_DEFAULT_RETRY: Final = RetryPolicy()


def decode_definition(message: workflow_pb2.WorkflowDefinition) -> Definition:
    """Read a definition as it stands, right or wrong."""
    return Definition(
        id=message.id,
        version=message.version,
        nodes=tuple(_node(node, f"nodes[{i}]") for i, node in enumerate(message.nodes)),
        edges=tuple(Edge(edge.source, edge.target, edge.when) for edge in message.edges),
        timeout_s=seconds_of(message.timeout) if message.HasField("timeout") else DEFAULT_RUN_TIMEOUT_S,
        wire=message.SerializeToString(),
    )


def _node(message: node_pb2.Node, at: str) -> Node:
    kind = KINDS[message.kind]  # the validation of the request lets no other through
    usual = JUDGMENT_TIMEOUT_S if kind is NodeKind.JUDGMENT else DEFAULT_NODE_TIMEOUT_S
    return Node(
        id=message.id,
        kind=kind,
        config=_config(message, at),
        retry=_retry(message.retry) if message.HasField("retry") else _DEFAULT_RETRY,
        timeout_s=seconds_of(message.timeout) if message.HasField("timeout") else usual,
    )


def _retry(message: node_pb2.RetryPolicy) -> RetryPolicy:
    usual = _DEFAULT_RETRY.initial_backoff_s
    return RetryPolicy(
        max_attempts=message.max_attempts or _DEFAULT_RETRY.max_attempts,
        initial_backoff_s=seconds_of(message.initial_backoff) if message.HasField("initial_backoff") else usual,
    )


def _config(message: node_pb2.Node, at: str) -> Config | None:
    match message.WhichOneof("config"):
        case "data":
            return DataConfig(_query(message.data.query, f"{at}.data.query"))
        case "judgment":
            judgment = message.judgment
            return JudgmentConfig(judgment.input_node, judgment.task.metric, judgment.task.SerializeToString())
        case "code":
            code = message.code
            arguments = {name: decode_scalar(value) for name, value in code.arguments.items()}
            return CodeConfig(code.template, tuple(code.input_nodes), arguments)
        case "switch":
            return _switch(message.switch)
        case _:
            return None


def _query(message: analysis_pb2.Query, at: str) -> Query:
    return Query(
        metrics=tuple(message.metrics),
        windows=tuple(decode_window(window, f"{at}.windows[{i}]") for i, window in enumerate(message.windows)),
        targets=tuple(target.name for target in message.targets),
        group_by=tuple(DIMENSIONS.get(dimension, "") for dimension in message.group_by),
        grain=GRAINS.get(message.grain, Grain.UNSPECIFIED),
        wire=message.SerializeToString(),
    )


def _switch(message: node_pb2.SwitchNode) -> SwitchConfig:
    rule_set = message.rule_set
    return SwitchConfig(
        input_node=message.input_node,
        cases=tuple(SwitchCase(case.label, case.condition) for case in message.cases),
        rule_set=RuleSetRef(rule_set.rule_set, rule_set.version) if message.HasField("rule_set") else None,
        default_label=message.default_label,
        take_all=message.mode == node_pb2.SWITCH_MODE_ALL,
    )
