"""Enums of the contract and of the domain, matched by name."""

from enum import StrEnum
from typing import Any, Generic, TypeVar

from factoryai.data.v1 import metric_pb2
from factoryai.judgment.v1 import judgment_pb2
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import evidence_pb2, target_pb2, time_window_pb2, value_pb2
from factoryai.workflow.v1 import node_pb2

from services.orchestrator.domain.answering import Stage
from services.orchestrator.domain.decision import ChartType, State, Thumb
from services.orchestrator.domain.figures import ColumnType, EvidenceKind, Severity
from services.orchestrator.domain.meaning import Comparator, Intent, Route, SlotOrigin, Source
from services.orchestrator.domain.plan import JudgmentKind, NodeKind
from services.orchestrator.domain.plant import Aggregation, Dimension, Direction, Grain

E = TypeVar("E", bound=StrEnum)


class Matched(Generic[E]):
    """One enum both ways. A wire value that the domain does not know reads as `unknown`, by default UNSPECIFIED."""

    def __init__(self, wire: Any, prefix: str, domain: type[E], unknown: E | None = None) -> None:
        self._to_wire = {member: wire.Value(prefix + member.name) for member in domain}
        self._from_wire = {number: member for member, number in self._to_wire.items()}
        self._unknown = unknown if unknown is not None else domain["UNSPECIFIED"]

    def encode(self, member: E) -> Any:
        """Return the wire's number."""
        return self._to_wire[member]

    def decode(self, number: int) -> E:
        """Return the domain's member."""
        return self._from_wire.get(number, self._unknown)


INTENT = Matched(intent_pb2.Intent, "INTENT_", Intent)
ROUTE = Matched(intent_pb2.RouteTarget, "ROUTE_TARGET_", Route)
ORIGIN = Matched(intent_pb2.SlotOrigin, "SLOT_ORIGIN_", SlotOrigin)
SOURCE = Matched(intent_pb2.ClassificationSource, "CLASSIFICATION_SOURCE_", Source)
COMPARATOR = Matched(intent_pb2.Comparator, "COMPARATOR_", Comparator)
SEVERITY = Matched(value_pb2.Severity, "SEVERITY_", Severity)
COLUMN = Matched(value_pb2.ColumnType, "COLUMN_TYPE_", ColumnType)
EVIDENCE = Matched(evidence_pb2.EvidenceKind, "EVIDENCE_KIND_", EvidenceKind)
GRAIN = Matched(time_window_pb2.TimeGrain, "TIME_GRAIN_", Grain)
DIMENSION = Matched(target_pb2.Dimension, "DIMENSION_", Dimension)
DIRECTION = Matched(metric_pb2.Direction, "DIRECTION_", Direction)
AGGREGATION = Matched(metric_pb2.Aggregation, "AGGREGATION_", Aggregation)
NODE = Matched(node_pb2.NodeKind, "NODE_KIND_", NodeKind, NodeKind.DATA)
JUDGMENT = Matched(judgment_pb2.JudgmentKind, "JUDGMENT_KIND_", JudgmentKind, JudgmentKind.THRESHOLD)
STATE = Matched(decision_pb2.DecisionState, "DECISION_STATE_", State)
CHART = Matched(decision_pb2.ChartType, "CHART_TYPE_", ChartType)
THUMB = Matched(decision_pb2.Feedback.Thumb, "THUMB_", Thumb)
STAGE = Matched(orchestrator_service_pb2.AskStage, "ASK_STAGE_", Stage, Stage.ACCEPTED)
