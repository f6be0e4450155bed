"""Holds a definition to everything that can be known before it runs, and tells all faults at once. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.errors import FieldViolation, Invalid, Reason, Unimplemented
from services.workflow.domain import graph
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.definition import (
    MAX_EDGES,
    MAX_NODES,
    CodeConfig,
    DataConfig,
    Definition,
    JudgmentConfig,
    Node,
    SwitchConfig,
)
from services.workflow.domain.figures import Grain
from services.workflow.domain.states import NodeKind, Severity
from services.workflow.domain.templates.table import TEMPLATES, Template

SERVED: Final[Mapping[NodeKind, tuple[str, type]]] = {
    NodeKind.DATA: ("data", DataConfig),
    NodeKind.JUDGMENT: ("judgment", JudgmentConfig),
    NodeKind.CODE: ("code", CodeConfig),
    NodeKind.SWITCH: ("switch", SwitchConfig),
}
_VERDICTS: Final = frozenset(severity.value.lower() for severity in Severity if severity is not Severity.UNSPECIFIED)


class Kind(StrEnum):
    """What sort of fault: it decides how a definition is refused."""

    STRUCTURE = "structure"
    EXPRESSION = "expression"
    NOT_SERVED = "not_served"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where, as `nodes[2].switch.cases[0].condition`, and what."""

    field: str
    description: str
    kind: Kind = Kind.STRUCTURE
    expression: str = ""


def validate(definition: Definition, conditions: Conditions) -> tuple[Fault, ...]:
    """Return every fault, those of the shape first; empty where the definition may run."""
    return (*_shape(definition), *_nodes(definition, conditions))


def refuse(definition: Definition, faults: tuple[Fault, ...]) -> None:
    """Raise what StartRun answers to faults: Unimplemented where a kind is not served, else Invalid."""
    if not faults:
        return
    violations = tuple(FieldViolation(f"definition.{each.field}", each.description, each.kind) for each in faults)
    message = f"workflow {definition.id} has {len(faults)} fault(s); first: {faults[0].field}: {faults[0].description}"
    kinds = {fault.kind for fault in faults}
    if Kind.NOT_SERVED in kinds:
        raise Unimplemented(message, violations=violations)
    if kinds == {Kind.EXPRESSION}:
        raise Invalid(message, Reason.INVALID_EXPRESSION, {"expression": faults[0].expression}, violations)
    raise Invalid(message, Reason.INVALID_DEFINITION, violations=violations)


def _shape(definition: Definition) -> Iterator[Fault]:
    if not 1 <= len(definition.nodes) <= MAX_NODES:
        yield Fault("nodes", f"a workflow has 1 to {MAX_NODES} nodes; this one has {len(definition.nodes)}")
    if len(definition.edges) > MAX_EDGES:
        yield Fault("edges", f"a workflow has at most {MAX_EDGES} edges; this one has {len(definition.edges)}")
    known = Counter(node.id for node in definition.nodes)
    for i, node in enumerate(definition.nodes):
        if known[node.id] > 1 and definition.by_id[node.id] is not node:
            yield Fault(f"nodes[{i}].id", f"another node is called {node.id}")
    yield from _edges(definition)
    if not definition.nodes:
        return
    starts = [node_id for node_id, edges in definition.incoming.items() if not edges]
    alone = [node_id for node_id in starts if not definition.outgoing[node_id]] if len(definition.by_id) > 1 else []
    for node_id in alone:
        yield Fault(f"nodes[{_index(definition, node_id)}]", f"{node_id} is an orphan: no edge leads to it or from it")
    beginnings = [node_id for node_id in starts if node_id not in alone]
    if len(beginnings) > 1:
        yield Fault("nodes", f"exactly one node may be the start; these have no edge to them: {', '.join(beginnings)}")
    cyclic = [node_id for node_id in definition.by_id if node_id not in set(graph.order(definition))]
    if cyclic:
        yield Fault("edges", f"there is a cycle; on it or behind it are: {', '.join(cyclic)}")


def _edges(definition: Definition) -> Iterator[Fault]:
    seen: set[tuple[str, str, str]] = set()
    for i, edge in enumerate(definition.edges):
        for end, node_id in (("source", edge.source), ("target", edge.target)):
            if node_id not in definition.by_id:
                yield Fault(f"edges[{i}].{end}", f"there is no node {node_id}")
        if (edge.source, edge.target, edge.when) in seen:
            yield Fault(f"edges[{i}]", "the same edge stands there twice")
        seen.add((edge.source, edge.target, edge.when))
        source = definition.by_id.get(edge.source)
        if not edge.when or source is None:
            continue
        if not isinstance(source.config, SwitchConfig):
            yield Fault(f"edges[{i}].when", f"{edge.source} is no SWITCH, so its edges are always taken")
        elif edge.when not in source.config.labels():
            labels = ", ".join(sorted(source.config.labels()))
            yield Fault(f"edges[{i}].when", f"{edge.source} takes no label {edge.when}; it has: {labels}")


def _nodes(definition: Definition, conditions: Conditions) -> Iterator[Fault]:
    sure = graph.surely_done(definition, graph.order(definition))
    for i, node in enumerate(definition.nodes):
        at = f"nodes[{i}]"
        if node.kind not in SERVED:
            served = ", ".join(SERVED)
            yield Fault(
                f"{at}.kind", f"{node.kind} nodes are not served by this release; served: {served}", Kind.NOT_SERVED
            )
            continue
        name, config = SERVED[node.kind]
        if not isinstance(node.config, config):
            yield Fault(f"{at}.{name}", f"a {node.kind} node is configured by `{name}`")
            continue
        yield from _inputs(definition, node, f"{at}.{name}", sure.get(node.id, frozenset()))
        match node.config:
            case JudgmentConfig():
                yield from _judgment(definition, node.config, f"{at}.{name}")
            case CodeConfig():
                yield from _code(definition, node.config, f"{at}.{name}")
            case SwitchConfig():
                yield from _switch(node.config, f"{at}.{name}", conditions)


def _inputs(definition: Definition, node: Node, at: str, sure: frozenset[str]) -> Iterator[Fault]:
    several = isinstance(node.config, CodeConfig)
    for i, source in enumerate(definition.inputs_of(node)):
        field = f"{at}.input_nodes[{i}]" if several else f"{at}.input_node"
        if source not in definition.by_id:
            yield Fault(field, f"there is no node {source}")
        elif source not in sure:
            yield Fault(field, f"{source} has not run on every path to {node.id}")


def _judgment(definition: Definition, config: JudgmentConfig, at: str) -> Iterator[Fault]:
    source = definition.by_id.get(config.input_node)
    if source is None:
        return
    if source.kind is not NodeKind.DATA:
        yield Fault(f"{at}.input_node", f"a JUDGMENT reads a DATA node; {source.id} is {source.kind}")
    elif isinstance(source.config, DataConfig) and config.metric not in source.config.query.metrics:
        metrics = ", ".join(source.config.query.metrics)
        yield Fault(f"{at}.task.metric", f"{source.id} does not read {config.metric}; it reads: {metrics}")


def _code(definition: Definition, config: CodeConfig, at: str) -> Iterator[Fault]:
    template = TEMPLATES.get(config.template)
    if template is None:
        yield Fault(f"{at}.template", f"there is no template {config.template}; there are: {', '.join(TEMPLATES)}")
        return
    if len(config.input_nodes) != len(template.reads):
        yield Fault(f"{at}.input_nodes", f"{config.template} reads {len(template.reads)}: {', '.join(template.reads)}")
    for i, (node_id, wanted) in enumerate(zip(config.input_nodes, template.reads, strict=False)):
        source = definition.by_id.get(node_id)
        if source is None:
            continue
        if source.kind is not wanted:
            yield Fault(f"{at}.input_nodes[{i}]", f"{config.template} reads {wanted} here; {node_id} is {source.kind}")
        elif isinstance(source.config, DataConfig) and template.buckets is not None:
            bucketed = source.config.query.grain is not Grain.UNSPECIFIED
            if bucketed is not template.buckets:
                wants = "wants" if template.buckets else "does not take"
                yield Fault(f"{at}.input_nodes[{i}]", f"{config.template} {wants} time buckets (query.grain)")
        elif isinstance(source.config, JudgmentConfig) and source.config.input_node != config.input_nodes[0]:
            yield Fault(f"{at}.input_nodes[{i}]", f"{node_id} judges other figures than {config.input_nodes[0]}'s")
    yield from _arguments(definition, config, template, at)


def _arguments(definition: Definition, config: CodeConfig, template: Template, at: str) -> Iterator[Fault]:
    for name, value in config.arguments.items():
        wanted = template.arguments.get(name)
        field = f"{at}.arguments[{name}]"
        if wanted is None:
            takes = ", ".join(template.arguments) or "none"
            yield Fault(field, f"{config.template} takes no argument {name}; it takes: {takes}")
        elif type(value) is not wanted:
            yield Fault(field, f"{name} is of type {wanted.__name__}, not {type(value).__name__}")
    metric = config.arguments.get("metric")
    source = definition.by_id.get(config.input_nodes[0]) if config.input_nodes else None
    if "metric" in template.arguments and metric and source is not None and isinstance(source.config, DataConfig):
        metrics = source.config.query.metrics
        if metric not in metrics:
            yield Fault(
                f"{at}.arguments[metric]", f"{source.id} does not read {metric}; it reads: {', '.join(metrics)}"
            )


def _switch(config: SwitchConfig, at: str, conditions: Conditions) -> Iterator[Fault]:
    labels = Counter(case.label for case in config.cases)
    seen: set[str] = set()
    for i, case in enumerate(config.cases):
        if labels[case.label] > 1 and case.label in seen:
            yield Fault(f"{at}.cases[{i}].label", f"another case is called {case.label}; join their conditions by ||")
        seen.add(case.label)
        if config.rule_set is not None:
            if case.condition:
                yield Fault(f"{at}.cases[{i}].condition", "a rule set decides here, so cases have no conditions")
            if case.label not in _VERDICTS:
                yield Fault(f"{at}.cases[{i}].label", f"a rule set finds one of {', '.join(sorted(_VERDICTS))}")
        elif not case.condition:
            yield Fault(f"{at}.cases[{i}].condition", "neither a condition nor a rule set says when this is taken")
        else:
            try:
                conditions.compile(case.condition)
            except Invalid as refused:
                yield Fault(f"{at}.cases[{i}].condition", refused.message, Kind.EXPRESSION, case.condition)


def _index(definition: Definition, node_id: str) -> int:
    return next(i for i, node in enumerate(definition.nodes) if node.id == node_id)
