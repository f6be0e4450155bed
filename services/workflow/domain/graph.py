"""What follows from the shape of a graph alone. All functions are total; those on order want an acyclic graph."""

from collections.abc import Iterable

from services.workflow.domain.definition import Definition
from services.workflow.domain.states import NodeKind


def order(definition: Definition) -> tuple[str, ...]:
    """Return node ids so that each comes after its predecessors; nodes on or behind a cycle are left out."""
    waiting = {node_id: len(edges) for node_id, edges in definition.incoming.items()}
    ready = [node_id for node_id, count in waiting.items() if not count]
    ordered: list[str] = []
    while ready:
        node_id = ready.pop()
        ordered.append(node_id)
        for edge in definition.outgoing[node_id]:
            waiting[edge.target] -= 1
            if not waiting[edge.target]:
                ready.append(edge.target)
    return tuple(ordered)


def surely_done(definition: Definition, ordered: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return for each node those that have surely succeeded whenever it begins, whichever branches were taken.

    A node begins after one of its predecessors at least: what all of them are sure of, it is sure of. And whatever
    these force to run (by edges that are always taken) has run too, where it lies before the node, since joins wait.
    """
    nothing: frozenset[str] = frozenset()
    before: dict[str, frozenset[str]] = {}
    sure: dict[str, frozenset[str]] = {}
    for node_id in ordered:
        sources = {edge.source for edge in definition.incoming[node_id]}
        before[node_id] = nothing.union(*(before[source] | {source} for source in sources))
        shared = [sure[source] | {source} for source in sources]
        sure[node_id] = _forced(definition, nothing.union(*shared[:1]).intersection(*shared)) & before[node_id]
    return sure


def _forced(definition: Definition, done: frozenset[str]) -> frozenset[str]:
    """Return `done` and what runs whenever those do."""
    forced = set(done)
    reached = list(done)
    while reached:
        source = reached.pop()
        branches = definition.by_id[source].kind is NodeKind.SWITCH
        for edge in definition.outgoing[source]:
            if edge.target not in forced and not (branches and edge.when):
                forced.add(edge.target)
                reached.append(edge.target)
    return frozenset(forced)
