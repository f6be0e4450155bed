"""Template and scope -> plan. Pure, and well under a millisecond."""

from services.orchestrator.domain.grounding import Scope
from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.plan import Definition, JudgmentTask, Node, NodeKind, Plan, Query
from services.orchestrator.domain.plant import Grain
from services.orchestrator.domain.templates import NodeTemplate, QueryTemplate, Template

NO_WORKFLOW = Localized(
    "대화로 바로 답하는 질문이라 실행할 작업이 없습니다.", "Answered in conversation; there is nothing to run."
)


def make(template: Template, scope: Scope) -> Plan:
    """Fill the template with what the question is about."""
    definition = Definition(
        id=f"plan_{template.id}",
        version=template.version,
        display=template.title.localized(),
        nodes=tuple(_node(node, scope) for node in template.nodes),
        edges=template.edges,
    )
    return Plan(template.label, template.explanation.localized(), definition, read_only=True)


def none(reply: str) -> Plan:
    """Return the plan of an answer that needs no workflow: `greeting@1`."""
    return Plan(f"{reply}@1", NO_WORKFLOW)


def _node(node: NodeTemplate, scope: Scope) -> Node:
    return Node(
        id=node.id,
        kind=node.kind,
        inputs=node.inputs,
        query=_query(node.query, scope) if node.query else None,
        task=_task(node, scope) if node.kind is NodeKind.JUDGMENT else None,
        template=node.template,
    )


def _query(query: QueryTemplate, scope: Scope) -> Query:
    windows = scope.windows
    if query.windows == "$windows_and_previous" and scope.previous is not None:
        windows = (*windows, scope.previous)
    return Query(
        metrics=tuple(metric.id for metric in scope.metrics),
        windows=windows,
        targets=scope.targets if query.targets else (),
        group_by=scope.group_by if query.group_by else (),
        grain=scope.grain if query.grain else Grain.UNSPECIFIED,
        order_by=scope.metric.id if query.order_by else "",
        descending=scope.descending if query.descending else False,
        limit=query.limit,
    )


def _task(node: NodeTemplate, scope: Scope) -> JudgmentTask | None:
    if node.judge is None:
        return None
    return JudgmentTask(
        kind=node.judge,
        metric=scope.metric.id,
        descending=scope.descending,
        top_n=scope.top_n,
        windows=scope.windows,
    )
