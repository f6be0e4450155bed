"""The rule engine as the judgment service sees it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import grpc
from factoryai.rule.v1 import rule_service_pb2, rule_set_pb2
from factoryai.rule.v1.rule_service_pb2_grpc import RuleServiceStub
from factoryai.type.v1 import value_pb2

from services.judgment import codec
from services.judgment.domain.model import RuleHit, RuleVerdict, RuleVerdicts

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.rule.v1.rule_service_pb2_grpc import RuleServiceAsyncStub

# Rules answer within half a second or not at all; the rest of the budget is the caller's.
_TIMEOUT_S: Final = 0.5


class RuleEngine:
    """A `RuleEvaluator` over the rule service's channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: RuleServiceAsyncStub = RuleServiceStub(channel)

    async def evaluate(self, rule_set: str, rows: Sequence[Mapping[str, float | str]]) -> RuleVerdicts:
        """Hold rows against the version in force, in one call; see RuleEvaluator."""
        name = f"ruleSets/{rule_set}"
        inputs = [
            rule_set_pb2.RuleInput(key=str(index), values={column: _scalar(cell) for column, cell in row.items()})
            for index, row in enumerate(rows)
        ]
        request = rule_service_pb2.EvaluateRuleSetRequest(name=name, inputs=inputs)
        response = await self._stub.EvaluateRuleSet(request, timeout=_TIMEOUT_S)
        verdicts = tuple(_verdict(outcome) for outcome in response.outcomes)
        return RuleVerdicts(verdicts, f"{name}@{response.version}:{response.digest}")


def _scalar(cell: float | str) -> value_pb2.Scalar:
    return value_pb2.Scalar(text=cell) if isinstance(cell, str) else value_pb2.Scalar(number=cell)


def _verdict(outcome: rule_set_pb2.RuleOutcome) -> RuleVerdict:
    hits = tuple(
        RuleHit(match.rule, codec.decode_severity(match.severity), codec.decode_text(match.explanation))
        for match in outcome.matches
    )
    return RuleVerdict(codec.decode_severity(outcome.severity), hits, tuple(outcome.missing_inputs))
