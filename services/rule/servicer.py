"""The rule service's methods: decode, await the domain, encode."""

from typing import Any

from factoryai.rule.v1 import rule_service_pb2 as pb
from factoryai.rule.v1 import rule_service_pb2_grpc

from services.chassis.call import current_call
from services.chassis.idempotency import Idempotency
from services.rule import codec
from services.rule.domain.registry import RuleSets


class RuleServicer(rule_service_pb2_grpc.RuleServiceServicer):
    """`factoryai.rule.v1.RuleService`."""

    def __init__(self, rule_sets: RuleSets, idempotency: Idempotency) -> None:
        self._rule_sets = rule_sets
        self._idempotency = idempotency

    async def CreateRuleSet(self, request: pb.CreateRuleSetRequest, _: Any) -> pb.CreateRuleSetResponse:  # noqa: N802
        """Write a new draft version."""
        tenant = current_call().tenant

        async def work() -> pb.CreateRuleSetResponse:
            rule_set = await self._rule_sets.create(tenant, codec.decode_content(request.rule_set))
            return pb.CreateRuleSetResponse(rule_set=codec.encode_rule_set(rule_set), created=True)

        response, mine = await self._idempotency.once(
            tenant, request.request_id, "CreateRuleSet", request, work, pb.CreateRuleSetResponse
        )
        response.created = mine
        return response

    async def ValidateRuleSet(self, request: pb.ValidateRuleSetRequest, _: Any) -> pb.ValidateRuleSetResponse:  # noqa: N802
        """Check a rule set without keeping it."""
        faults = self._rule_sets.validate(codec.decode_content(request.rule_set))
        return pb.ValidateRuleSetResponse(faults=[codec.encode_fault(each) for each in faults])

    async def PublishRuleSet(self, request: pb.PublishRuleSetRequest, _: Any) -> pb.PublishRuleSetResponse:  # noqa: N802
        """Put a version in force."""
        tenant = current_call().tenant

        async def work() -> pb.PublishRuleSetResponse:
            name = codec.decode_name(request.name)
            rule_set, published = await self._rule_sets.publish(tenant, name, request.version)
            return pb.PublishRuleSetResponse(rule_set=codec.encode_rule_set(rule_set), published=published)

        response, mine = await self._idempotency.once(
            tenant, request.request_id, "PublishRuleSet", request, work, pb.PublishRuleSetResponse
        )
        response.published = response.published and mine
        return response

    async def GetRuleSet(self, request: pb.GetRuleSetRequest, _: Any) -> pb.GetRuleSetResponse:  # noqa: N802
        """Read a version."""
        name = codec.decode_name(request.name)
        rule_set = await self._rule_sets.get(current_call().tenant, name, request.version)
        return pb.GetRuleSetResponse(rule_set=codec.encode_rule_set(rule_set))

    async def ListRuleSets(self, request: pb.ListRuleSetsRequest, _: Any) -> pb.ListRuleSetsResponse:  # noqa: N802
        """List rule sets by name."""
        limit, after = codec.decode_page(request.page_size, request.page_token)
        found, following = await self._rule_sets.list(current_call().tenant, after, limit)
        return pb.ListRuleSetsResponse(
            rule_sets=[codec.encode_rule_set(each) for each in found],
            next_page_token=codec.encode_page_token(following),
        )

    async def EvaluateRuleSet(self, request: pb.EvaluateRuleSetRequest, _: Any) -> pb.EvaluateRuleSetResponse:  # noqa: N802
        """Evaluate a batch of cases."""
        name = codec.decode_name(request.name)
        cases = [codec.decode_case(each) for each in request.inputs]
        evaluation = await self._rule_sets.evaluate(current_call().tenant, name, request.version, cases)
        return codec.encode_evaluation(evaluation)
