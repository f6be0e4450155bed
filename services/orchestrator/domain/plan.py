"""How a question is answered: a graph of typed nodes."""

from dataclasses import dataclass
from enum import StrEnum

from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.meaning import Target, Window
from services.orchestrator.domain.plant import Dimension, Grain


class NodeKind(StrEnum):
    """The kinds of node that plans are made of."""

    DATA = "DATA"
    JUDGMENT = "JUDGMENT"
    CODE = "CODE"
    SWITCH = "SWITCH"


class JudgmentKind(StrEnum):
    """What is judged."""

    THRESHOLD = "THRESHOLD"
    COMPARISON = "COMPARISON"
    RANKING = "RANKING"


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the data layer. `order_by` is a column id; `limit` 0 leaves it to the data layer."""

    metrics: tuple[str, ...]
    windows: tuple[Window, ...]
    targets: tuple[Target, ...] = ()
    group_by: tuple[Dimension, ...] = ()
    grain: Grain = Grain.UNSPECIFIED
    order_by: str = ""
    descending: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class JudgmentTask:
    """What a JUDGMENT node judges. `top_n` 0 keeps all places."""

    kind: JudgmentKind
    metric: str
    descending: bool = False
    top_n: int = 0
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One node: DATA has a query, JUDGMENT a task over its only input, CODE a vetted template over its inputs."""

    id: str
    kind: NodeKind
    inputs: tuple[str, ...] = ()
    query: Query | None = None
    task: JudgmentTask | None = None
    template: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A graph of nodes; edges are (source, target)."""

    id: str
    version: int
    display: Localized
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question is answered. `template` is `check@1`; no definition where no workflow is built."""

    template: str
    explanation: Localized
    definition: Definition | None = None
    read_only: bool = True
