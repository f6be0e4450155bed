"""Plans and their definitions, runs and their results."""

from factoryai.data.v1 import analysis_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.orchestrator.v1 import plan_pb2
from factoryai.workflow.v1 import node_pb2, run_pb2, workflow_pb2

from services.errors import FactoryError, Internal
from services.orchestrator.codec import enums, errors, values
from services.orchestrator.domain.figures import (
    CodeResult,
    DataResult,
    Fact,
    JudgedItem,
    JudgmentResult,
    MetricSource,
    ProposedAction,
    RunResult,
)
from services.orchestrator.domain.plan import Definition, JudgmentTask, Node, NodeKind, Plan, Query


def encode_plan(domain: Plan) -> plan_pb2.Plan:
    """Write a plan."""
    return plan_pb2.Plan(
        template=domain.template,
        definition=encode_definition(domain.definition) if domain.definition else None,
        explanation=values.encode_text(domain.explanation),
        read_only=domain.read_only,
    )


def plan(message: plan_pb2.Plan) -> Plan:
    """Read a plan."""
    return Plan(
        message.template,
        values.text(message.explanation),
        _definition(message.definition) if message.HasField("definition") else None,
        message.read_only,
    )


def encode_definition(domain: Definition) -> workflow_pb2.WorkflowDefinition:
    """Write a definition."""
    return workflow_pb2.WorkflowDefinition(
        id=domain.id,
        version=domain.version,
        display_name=values.encode_text(domain.display),
        nodes=[_encode_node(node) for node in domain.nodes],
        edges=[node_pb2.Edge(source=source, target=target) for source, target in domain.edges],
    )


def _definition(message: workflow_pb2.WorkflowDefinition) -> Definition:
    return Definition(
        message.id,
        message.version,
        values.text(message.display_name),
        tuple(_node(each) for each in message.nodes),
        tuple((edge.source, edge.target) for edge in message.edges),
    )


def _encode_node(domain: Node) -> node_pb2.Node:
    node = node_pb2.Node(id=domain.id, kind=enums.NODE.encode(domain.kind))
    if domain.query is not None:
        node.data.query.CopyFrom(_encode_query(domain.query))
    elif domain.task is not None:
        node.judgment.CopyFrom(node_pb2.JudgmentNode(input_node=domain.inputs[0], task=_encode_task(domain.task)))
    elif domain.kind is NodeKind.CODE:
        node.code.CopyFrom(node_pb2.CodeNode(template=domain.template, input_nodes=domain.inputs))
    return node


def _node(message: node_pb2.Node) -> Node:
    kind = enums.NODE.decode(message.kind)
    match message.WhichOneof("config"):
        case "data":
            return Node(message.id, kind, query=_query(message.data.query))
        case "judgment":
            return Node(message.id, kind, (message.judgment.input_node,), task=_task(message.judgment.task))
        case "code":
            return Node(message.id, kind, tuple(message.code.input_nodes), template=message.code.template)
        case _:
            return Node(message.id, kind)


def _encode_query(domain: Query) -> analysis_pb2.Query:
    order = analysis_pb2.OrderBy(column=domain.order_by, descending=domain.descending) if domain.order_by else None
    return analysis_pb2.Query(
        metrics=domain.metrics,
        targets=[values.encode_target(each) for each in domain.targets],
        windows=[values.encode_window(each) for each in domain.windows],
        group_by=[enums.DIMENSION.encode(each) for each in domain.group_by],
        grain=enums.GRAIN.encode(domain.grain),
        order_by=order,
        limit=domain.limit,
    )


def _query(message: analysis_pb2.Query) -> Query:
    return Query(
        metrics=tuple(message.metrics),
        windows=tuple(values.window(each) for each in message.windows),
        targets=tuple(values.target(each) for each in message.targets),
        group_by=tuple(enums.DIMENSION.decode(each) for each in message.group_by),
        grain=enums.GRAIN.decode(message.grain),
        order_by=message.order_by.column,
        descending=message.order_by.descending,
        limit=message.limit,
    )


def _encode_task(domain: JudgmentTask) -> judgment_pb2.JudgmentTask:
    return judgment_pb2.JudgmentTask(
        kind=enums.JUDGMENT.encode(domain.kind),
        metric=domain.metric,
        descending=domain.descending,
        top_n=domain.top_n,
        windows=[values.encode_window(each) for each in domain.windows],
    )


def _task(message: judgment_pb2.JudgmentTask) -> JudgmentTask:
    return JudgmentTask(
        enums.JUDGMENT.decode(message.kind),
        message.metric,
        message.descending,
        message.top_n,
        tuple(values.window(each) for each in message.windows),
    )


def run_result(message: run_pb2.Run) -> RunResult:
    """Read what a run gave. One that has not succeeded carries an error."""
    data: DataResult | None = None
    judgment: JudgmentResult | None = None
    code: CodeResult | None = None
    for node in message.node_results:
        match node.output.WhichOneof("output"):
            case "data":
                data = _data(node.output.data)
            case "judgment":
                judgment = _judgment(node.output.judgment)
            case "code":
                code = _code(node.output.code)
    return RunResult(message.name, data, judgment, code, _run_error(message))


def _run_error(message: run_pb2.Run) -> FactoryError | None:
    if message.state == run_pb2.RUN_STATE_SUCCEEDED:
        return None
    if message.HasField("error") and message.error.code:
        return errors.error(message.error, "workflow")
    return Internal(f"{message.name} ended as {run_pb2.RunState.Name(message.state)} without an error")


def _data(message: analysis_pb2.QueryResult) -> DataResult:
    return DataResult(
        values.table(message.table),
        values.freshness(message.freshness) if message.HasField("freshness") else None,
        tuple(MetricSource(each.metric.id, each.metric.dataset, each.row_count) for each in message.sources),
    )


def _judgment(message: judgment_pb2.Judgment) -> JudgmentResult:
    return JudgmentResult(
        name=message.name,
        severity=enums.SEVERITY.decode(message.severity),
        items=tuple(_item(each) for each in message.items),
        evidence=tuple(values.evidence(each) for each in message.evidence),
        actions=tuple(action(each) for each in message.actions),
        degraded=message.degraded,
        rule_set_version=message.rule_set_version,
    )


def _item(message: judgment_pb2.JudgedItem) -> JudgedItem:
    return JudgedItem(
        target=values.target(message.target) if message.HasField("target") else None,
        window=values.window(message.window) if message.HasField("window") else None,
        value=message.value if message.HasField("value") else None,
        rank=message.rank,
        difference=message.difference if message.HasField("difference") else None,
        difference_ratio=message.difference_ratio if message.HasField("difference_ratio") else None,
        share=message.share if message.HasField("share") else None,
        severity=enums.SEVERITY.decode(message.severity),
    )


def _code(message: node_pb2.CodeOutput) -> CodeResult:
    facts = tuple(
        Fact(
            each.name,
            each.metric,
            each.value if each.HasField("value") else None,
            each.unit,
            each.text,
            values.instant(each.time) if each.HasField("time") else None,
        )
        for each in message.facts
    )
    evidence = tuple(values.evidence(each) for each in message.evidence)
    return CodeResult(facts, enums.SEVERITY.decode(message.severity), evidence)


def action(message: judgment_pb2.ProposedAction) -> ProposedAction:
    """Read a proposal."""
    target = values.target(message.target) if message.HasField("target") else None
    return ProposedAction(message.type, message.priority, target, values.text(message.description))


def encode_action(domain: ProposedAction) -> judgment_pb2.ProposedAction:
    """Write a proposal."""
    return judgment_pb2.ProposedAction(
        type=domain.type,
        priority=domain.priority,
        target=values.encode_target(domain.target) if domain.target else None,
        description=values.encode_text(domain.description),
    )
