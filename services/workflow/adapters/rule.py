"""The rule engine over its stub."""

from collections.abc import Sequence

import grpc
from factoryai.rule.v1 import rule_service_pb2, rule_service_pb2_grpc

from services.workflow.codec.values import decode_severity, decode_text, encode_scalar
from services.workflow.domain.definition import RuleSetRef
from services.workflow.domain.ports import RuleCase, RuleMatch, RuleOutcome, RuleVerdict


class RuleEngine:
    """A RuleEvaluator. The channel raises `services.errors` and carries who asks."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = rule_service_pb2_grpc.RuleServiceStub(channel)

    async def evaluate(self, rule_set: RuleSetRef, cases: Sequence[RuleCase]) -> RuleVerdict:
        """Evaluate all cases in one call."""
        request = rule_service_pb2.EvaluateRuleSetRequest(name=rule_set.name, version=rule_set.version)
        for case in cases:
            message = request.inputs.add(key=case.key)
            for name, value in case.values.items():
                encode_scalar(message.values[name], value)
        response = await self._stub.EvaluateRuleSet(request)
        outcomes = tuple(
            RuleOutcome(
                outcome.key,
                decode_severity(outcome.severity),
                tuple(
                    RuleMatch(match.rule, decode_severity(match.severity), decode_text(match.explanation))
                    for match in outcome.matches
                ),
            )
            for outcome in response.outcomes
        )
        return RuleVerdict(outcomes, f"{rule_set.name}@{response.version}:{response.digest}")
