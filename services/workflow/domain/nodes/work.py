"""What a handler gets: the node to work on, what came before it, and the ways out of the engine."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.errors import Internal
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.definition import DataConfig, Definition, Node
from services.workflow.domain.figures import Query
from services.workflow.domain.outputs import DataOutput, JudgmentOutput, NodeOutput
from services.workflow.domain.ports import DataReader, Judge, RuleEvaluator


@dataclass(frozen=True, slots=True)
class Tools:
    """The ways out of the engine, and what handlers share."""

    data: DataReader
    judge: Judge
    rules: RuleEvaluator
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class Work:
    """One node of one run, to be done."""

    run_id: str
    plant: str
    as_of: datetime
    definition: Definition
    node: Node
    outputs: Mapping[str, NodeOutput]
    iteration: int = 0

    @property
    def key(self) -> str:
        """Return the key of whatever the node does outside: the same for each attempt."""
        return f"{self.run_id}:{self.node.id}:{self.iteration}"

    def query_of(self, node_id: str) -> Query:
        """Return the question of a DATA node."""
        config = self.definition.by_id[node_id].config
        if not isinstance(config, DataConfig):
            raise Internal(f"{node_id} is no DATA node: the validator has to have refused this")
        return config.query

    def data_of(self, node_id: str) -> DataOutput:
        """Return what a DATA node gave."""
        output = self.outputs.get(node_id)
        if not isinstance(output, DataOutput):
            raise Internal(f"{node_id} gave no figures: the validator has to have refused this")
        return output

    def judgment_of(self, node_id: str) -> JudgmentOutput:
        """Return what a JUDGMENT node gave."""
        output = self.outputs.get(node_id)
        if not isinstance(output, JudgmentOutput):
            raise Internal(f"{node_id} gave no judgment: the validator has to have refused this")
        return output


Handler = Callable[[Tools, Work], Awaitable[NodeOutput]]
