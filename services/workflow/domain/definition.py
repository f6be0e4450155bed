"""A graph of nodes as data. A definition may be wrong; the validator says how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.workflow.domain.figures import Query, Scalar
from services.workflow.domain.states import NodeKind

DEFAULT_RUN_TIMEOUT_S: Final = 300.0
DEFAULT_NODE_TIMEOUT_S: Final = 30.0
JUDGMENT_TIMEOUT_S: Final = 20.0
MAX_NODES: Final = 32
MAX_EDGES: Final = 128


@dataclass(frozen=True, slots=True)
class DataConfig:
    """DATA: the question to the data layer."""

    query: Query


@dataclass(frozen=True, slots=True)
class JudgmentConfig:
    """JUDGMENT: judges `metric` in the output of a DATA node. `wire` is the whole task."""

    input_node: str
    metric: str
    wire: bytes = b""


@dataclass(frozen=True, slots=True)
class CodeConfig:
    """CODE: a vetted template over the outputs of earlier nodes, in the template's order."""

    template: str
    input_nodes: tuple[str, ...]
    arguments: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleSetRef:
    """A rule set; version 0 is the one in force."""

    name: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class SwitchCase:
    """One way on: a label and, where no rule set decides, the CEL condition that takes it."""

    label: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class SwitchConfig:
    """SWITCH: cases in order, decided by their conditions or by a rule set's worst severity."""

    input_node: str
    cases: tuple[SwitchCase, ...]
    rule_set: RuleSetRef | None = None
    default_label: str = ""
    take_all: bool = False

    def labels(self) -> frozenset[str]:
        """Return every label that may be taken."""
        return frozenset(case.label for case in self.cases) | ({self.default_label} - {""})


Config = DataConfig | JudgmentConfig | CodeConfig | SwitchConfig


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a node is tried: `max_attempts` in all, waits doubled from `initial_backoff_s`."""

    max_attempts: int = 3
    initial_backoff_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Node:
    """One node. `config` is None where the definition gives none that this release knows."""

    id: str
    kind: NodeKind
    config: Config | None
    retry: RetryPolicy = RetryPolicy()
    timeout_s: float = DEFAULT_NODE_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one node to another; `when` is the SWITCH label that takes it, empty for always."""

    source: str
    target: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A graph of nodes. `wire` is the definition word for word as it was sent: a run stays on it.

    The three indexes follow from nodes and edges; edges to nodes that do not exist are in none of them.
    """

    id: str
    version: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...] = ()
    timeout_s: float = DEFAULT_RUN_TIMEOUT_S
    wire: bytes = b""
    by_id: Mapping[str, Node] = field(init=False, repr=False, compare=False)
    incoming: Mapping[str, tuple[Edge, ...]] = field(init=False, repr=False, compare=False)
    outgoing: Mapping[str, tuple[Edge, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the graph once: the core walks it at every event."""
        by_id: dict[str, Node] = {}
        for node in self.nodes:
            by_id.setdefault(node.id, node)
        incoming: dict[str, tuple[Edge, ...]] = dict.fromkeys(by_id, ())
        outgoing: dict[str, tuple[Edge, ...]] = dict.fromkeys(by_id, ())
        for edge in self.edges:
            if edge.source in by_id and edge.target in by_id:
                incoming[edge.target] += (edge,)
                outgoing[edge.source] += (edge,)
        object.__setattr__(self, "by_id", by_id)
        object.__setattr__(self, "incoming", incoming)
        object.__setattr__(self, "outgoing", outgoing)

    def inputs_of(self, node: Node) -> tuple[str, ...]:
        """Return the ids of the nodes whose outputs a node reads, in its own order."""
        match node.config:
            case JudgmentConfig(input_node=source) | SwitchConfig(input_node=source):
                return (source,)
            case CodeConfig(input_nodes=sources):
                return sources
            case _:
                return ()
