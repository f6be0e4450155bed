"""The safety envelope of plans. It always runs: a template may be wrong, and so may what fills it."""

from graphlib import CycleError, TopologicalSorter
from typing import Final

from services.errors import FieldViolation, Invalid, Reason
from services.orchestrator.domain.grounding import MOST_CELLS
from services.orchestrator.domain.meaning import Route
from services.orchestrator.domain.periods import buckets
from services.orchestrator.domain.plan import Definition, Node, NodeKind, Plan, Query
from services.orchestrator.domain.plant import Catalog, Dimension

MOST_NODES: Final = 32
_MOST_METRICS: Final = 8
_MOST_WINDOWS: Final = 8
_READ_ONLY: Final = frozenset({NodeKind.DATA, NodeKind.JUDGMENT, NodeKind.CODE, NodeKind.SWITCH})
_ALLOWED: Final = {
    Route.DATA_LAYER: frozenset({NodeKind.DATA, NodeKind.CODE}),
    Route.JUDGMENT_ENGINE: frozenset({NodeKind.DATA, NodeKind.JUDGMENT, NodeKind.CODE}),
    Route.RULE_ENGINE: frozenset({NodeKind.DATA, NodeKind.SWITCH, NodeKind.CODE}),
}
_CODE_TEMPLATES: Final = frozenset({"check_facts", "trend_facts", "comparison_facts", "ranking_facts"})


def admit(plan: Plan, route: Route, catalog: Catalog) -> None:
    """Let a plan pass, or raise Invalid(INVALID_PLAN) that names every fault."""
    violations = faults(plan, route, catalog)
    if violations:
        raise Invalid("the plan did not pass its checks", reason=Reason.INVALID_PLAN, violations=violations)


def faults(plan: Plan, route: Route, catalog: Catalog) -> list[FieldViolation]:
    """Return everything that is wrong with a plan; a plan without a definition has nothing to check."""
    definition = plan.definition
    if definition is None:
        return []
    found = [*_graph(definition), *_kinds(definition, route, claims_read_only=plan.read_only)]
    for place, node in enumerate(definition.nodes):
        field = f"definition.nodes[{place}]"
        found += _config(node, field)
        if node.query is not None:
            found += _query(node.query, f"{field}.query", catalog)
    return found


def _graph(definition: Definition) -> list[FieldViolation]:
    found = []
    ids = [node.id for node in definition.nodes]
    if not 1 <= len(ids) <= MOST_NODES:
        found.append(_fault("definition.nodes", f"has {len(ids)} nodes, 1 to {MOST_NODES} may be", "plan.nodes"))
    found += [
        _fault("definition.nodes", f"{each} is there twice", "plan.ids")
        for each in {i for i in ids if ids.count(i) > 1}
    ]
    graph: dict[str, set[str]] = {each: set() for each in ids}
    for place, (source, target) in enumerate(definition.edges):
        unknown = [end for end in (source, target) if end not in graph]
        found += [_fault(f"definition.edges[{place}]", f"{each} is no node", "plan.edges") for each in unknown]
        if not unknown:
            graph[target].add(source)
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError:
        return [*found, _fault("definition.edges", "the edges form a circle", "plan.acyclic")]
    return found + _inputs(definition, graph, order)


def _inputs(definition: Definition, graph: dict[str, set[str]], order: list[str]) -> list[FieldViolation]:
    """Each input has to be done before the node that reads it, and only DATA may start."""
    before: dict[str, set[str]] = {}
    for node_id in order:
        before[node_id] = set(graph[node_id]).union(*(before[each] for each in graph[node_id]))
    found = []
    for place, node in enumerate(definition.nodes):
        field = f"definition.nodes[{place}]"
        late = [each for each in node.inputs if each not in before.get(node.id, set())]
        found += [_fault(f"{field}.inputs", f"{each} is not done before", "plan.inputs") for each in late]
        if not graph.get(node.id) and node.kind is not NodeKind.DATA:
            found.append(_fault(field, "only a DATA node may come first", "plan.reachable"))
    return found


def _kinds(definition: Definition, route: Route, *, claims_read_only: bool) -> list[FieldViolation]:
    allowed = _ALLOWED.get(route, frozenset())
    found = []
    for place, node in enumerate(definition.nodes):
        field = f"definition.nodes[{place}].kind"
        if node.kind not in allowed:
            found.append(_fault(field, f"{node.kind} does not go with {route}", "plan.route"))
        if claims_read_only and node.kind not in _READ_ONLY:
            found.append(_fault(field, f"{node.kind} is not read-only", "plan.read_only"))
    return found


def _config(node: Node, field: str) -> list[FieldViolation]:
    match node.kind:
        case NodeKind.DATA if node.query is None:
            return [_fault(field, "a DATA node needs a query", "plan.config")]
        case NodeKind.JUDGMENT if node.task is None or len(node.inputs) != 1:
            return [_fault(field, "a JUDGMENT node needs a task and one input", "plan.config")]
        case NodeKind.CODE if node.template not in _CODE_TEMPLATES or not node.inputs:
            return [_fault(field, "a CODE node needs a vetted template and inputs", "plan.config")]
        case _:
            return []


def _query(query: Query, field: str, catalog: Catalog) -> list[FieldViolation]:
    found = []
    if not 1 <= len(query.metrics) <= _MOST_METRICS:
        found.append(_fault(f"{field}.metrics", f"1 to {_MOST_METRICS} metrics may be asked for", "plan.metrics"))
    if not 1 <= len(query.windows) <= _MOST_WINDOWS:
        found.append(_fault(f"{field}.windows", f"1 to {_MOST_WINDOWS} periods may be asked for", "plan.windows"))
    if any(window.start >= window.end for window in query.windows):
        found.append(_fault(f"{field}.windows", "a period ends before it starts", "plan.windows"))
    needed = {*query.group_by, *(Dimension(target.kind) for target in query.targets)}
    for metric_id in query.metrics:
        metric = catalog.metric_of.get(metric_id)
        if metric is None:
            found.append(_fault(f"{field}.metrics", f"the plant has no {metric_id}", "plan.metric_exists"))
            continue
        found += [
            _fault(f"{field}.group_by", f"{metric_id} is not known by {each.value}", "plan.dimension_exists")
            for each in sorted(needed - set(metric.dimensions))
        ]
    found += [
        _fault(f"{field}.targets", f"the plant has no {target.name}", "plan.target_exists")
        for target in query.targets
        if target.name not in catalog.target_of
    ]
    cells = buckets(query.windows, query.grain) * _groups(query, catalog)
    if cells > MOST_CELLS:
        found.append(_fault(field, f"would give up to {cells} rows, {MOST_CELLS} may be", "plan.cost"))
    return found


def _groups(query: Query, catalog: Catalog) -> int:
    groups = 1
    for dimension in query.group_by:
        filtered = sum(target.kind == dimension.value for target in query.targets)
        groups *= filtered or max(1, catalog.sizes.get(dimension.value, 1))
    return groups


def _fault(field: str, description: str, rule: str) -> FieldViolation:
    return FieldViolation(field, description, rule)
