"""The rule service through its real chain, over a socket and in process, on a real PostgreSQL."""

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from factoryai.rule.v1 import rule_service_pb2 as pb
from factoryai.rule.v1 import rule_set_pb2
from factoryai.rule.v1.rule_service_pb2_grpc import RuleServiceStub
from factoryai.type.v1 import target_pb2, value_pb2

from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.errors import AlreadyExists, FailedPrecondition, Invalid, NotFound, Reason
from services.rule.settings import RuleSettings
from services.rule.wiring import build
from tests.support.server import WIRINGS, Running, Wiring, calling, serve, settings, until

if TYPE_CHECKING:  # it exists for type checkers only
    from factoryai.rule.v1.rule_service_pb2_grpc import RuleServiceAsyncStub


@pytest.fixture(scope="module", params=WIRINGS)
async def running(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    wiring: Wiring = request.param
    folder: Path = tmp_path_factory.mktemp("rule")
    told = settings(RuleSettings, folder, database_url=postgres_url, provision_sample_rules=True)
    part = Part(told, build)
    async with serve(part, wiring=wiring) as running:
        await until(running.host.health.ready)
        yield running


@pytest.fixture
def rules(running: Running) -> "RuleServiceAsyncStub":
    stub: RuleServiceAsyncStub = RuleServiceStub(running.channel("rule"))
    return stub


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


def text(ko: str, en: str) -> target_pb2.LocalizedText:
    return target_pb2.LocalizedText(ko=ko, en=en)


def quality(name: str = "ruleSets/quality", limit: float = 0.05) -> rule_set_pb2.RuleSet:
    return rule_set_pb2.RuleSet(
        name=name,
        display_name=text("품질", "Quality"),
        inputs=[
            rule_set_pb2.InputDeclaration(name="defect_rate", type=rule_set_pb2.INPUT_TYPE_NUMBER),
            rule_set_pb2.InputDeclaration(name="line", type=rule_set_pb2.INPUT_TYPE_TEXT, optional=True),
        ],
        rules=[
            rule_set_pb2.Rule(
                id="too_many",
                condition=f"defect_rate > {limit}",
                severity=value_pb2.SEVERITY_CRITICAL,
                explanation=text("불량률 {defect_rate:%}이(가) 높습니다", "A defect rate of {defect_rate:%} is high"),
            )
        ],
    )


def case(key: str, **values: float | str) -> rule_set_pb2.RuleInput:
    scalars = {
        name: value_pb2.Scalar(text=value) if isinstance(value, str) else value_pb2.Scalar(number=value)
        for name, value in values.items()
    }
    return rule_set_pb2.RuleInput(key=key, values=scalars)


async def test_from_draft_to_verdict(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        created = await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=quality()))
        assert created.created
        assert (created.rule_set.version, created.rule_set.state) == (1, rule_set_pb2.RULE_SET_STATE_DRAFT)
        assert created.rule_set.hit_policy == rule_set_pb2.HIT_POLICY_PRIORITY
        assert len(created.rule_set.digest) == 64
        with pytest.raises(NotFound):  # a draft is not in force
            await rules.EvaluateRuleSet(pb.EvaluateRuleSetRequest(name="ruleSets/quality", inputs=[case("a")]))
        published = await rules.PublishRuleSet(pb.PublishRuleSetRequest(name="ruleSets/quality"))
        assert published.published
        assert published.rule_set.state == rule_set_pb2.RULE_SET_STATE_ACTIVE
        assert published.rule_set.publish_time.ToDatetime() >= published.rule_set.create_time.ToDatetime()
        answer = await rules.EvaluateRuleSet(
            pb.EvaluateRuleSetRequest(
                name="ruleSets/quality",
                inputs=[case("a", defect_rate=0.07, line="L01"), case("b", defect_rate=0.01), case("c", line="L02")],
            )
        )
    assert (answer.version, answer.digest) == (1, created.rule_set.digest)
    first, second, third = answer.outcomes
    assert (first.key, first.severity) == ("a", value_pb2.SEVERITY_CRITICAL)
    assert first.matches[0].explanation == text("불량률 7.0%가 높습니다", "A defect rate of 7.0% is high")
    assert (second.severity, list(second.matches)) == (value_pb2.SEVERITY_NORMAL, [])
    assert (third.severity, list(third.missing_inputs)) == (value_pb2.SEVERITY_UNKNOWN, ["defect_rate"])


async def test_a_new_version_takes_over_at_once(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    ask = pb.EvaluateRuleSetRequest(name="ruleSets/quality", inputs=[case("a", defect_rate=0.03)])
    with calling(tenant):
        for limit, severity in ((0.05, value_pb2.SEVERITY_NORMAL), (0.02, value_pb2.SEVERITY_CRITICAL)):
            await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=quality(limit=limit)))
            await rules.PublishRuleSet(pb.PublishRuleSetRequest(name="ruleSets/quality"))
            assert (await rules.EvaluateRuleSet(ask)).outcomes[0].severity == severity
        old = await rules.EvaluateRuleSet(
            pb.EvaluateRuleSetRequest(name="ruleSets/quality", version=1, inputs=list(ask.inputs))
        )
        assert (old.version, old.outcomes[0].severity) == (1, value_pb2.SEVERITY_NORMAL)
        with pytest.raises(FailedPrecondition) as refusal:
            await rules.PublishRuleSet(pb.PublishRuleSetRequest(name="ruleSets/quality", version=1))
    assert refusal.value.reason is Reason.INVALID_STATE


async def test_repeated_writes_are_done_once(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        write = pb.CreateRuleSetRequest(rule_set=quality(), request_id="once")
        first, second = await rules.CreateRuleSet(write), await rules.CreateRuleSet(write)
        assert (first.created, second.created) == (True, False)
        assert first.rule_set == second.rule_set
        with pytest.raises(AlreadyExists) as refusal:
            await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=quality(limit=0.9), request_id="once"))
        assert refusal.value.reason is Reason.REQUEST_ID_REUSED
        publish = pb.PublishRuleSetRequest(name="ruleSets/quality", request_id="once")
        assert [(await rules.PublishRuleSet(publish)).published for _ in range(2)] == [True, False]


async def test_all_faults_come_at_once(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    bad = quality(limit=0)  # `defect_rate > 0` compares a number with a whole number
    bad.rules.add(id="too_many", condition="nope", severity=value_pb2.SEVERITY_WARNING)
    with calling(tenant):
        faults = (await rules.ValidateRuleSet(pb.ValidateRuleSetRequest(rule_set=bad))).faults
        with pytest.raises(Invalid) as refusal:
            await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=bad))
        assert not (await rules.ValidateRuleSet(pb.ValidateRuleSetRequest(rule_set=quality()))).faults
    fields = ["rules[0].condition", "rules[1].condition", "rules[1].explanation.en", "rules[1].explanation.ko"]
    assert sorted(fault.field for fault in faults) == [*fields, "rules[1].id"]
    assert refusal.value.reason is Reason.INVALID_RULE_SET
    assert sorted(each.field for each in refusal.value.violations) == [
        f"rule_set.{field}" for field in [*fields, "rules[1].id"]
    ]


async def test_a_value_of_the_wrong_type_refuses_the_batch(rules: "RuleServiceAsyncStub") -> None:
    with calling(), pytest.raises(Invalid) as refusal:
        await rules.EvaluateRuleSet(
            pb.EvaluateRuleSetRequest(
                name="ruleSets/sample-quality", inputs=[case("a", defect_rate=0.1), case("b", defect_rate="high")]
            )
        )
    assert [each.field for each in refusal.value.violations] == ["inputs[1].values[defect_rate]"]


async def test_pages(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        for name in "abcde":
            await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=quality(f"ruleSets/{name}")))
        names: list[str] = []
        token = ""
        pages = 0
        while pages == 0 or token:
            page = await rules.ListRuleSets(pb.ListRuleSetsRequest(page_size=2, page_token=token))
            names += [each.name for each in page.rule_sets]
            token, pages = page.next_page_token, pages + 1
        assert (names, pages) == ([f"ruleSets/{name}" for name in "abcde"], 3)
        for wrong in ("nonsense", base64.urlsafe_b64encode(b"plants/x").decode(), "한글", "%%%"):
            with pytest.raises(Invalid) as refusal:
                await rules.ListRuleSets(pb.ListRuleSetsRequest(page_token=wrong))
            assert refusal.value.reason is Reason.INVALID_PAGE_TOKEN


async def test_other_tenants_rule_sets_are_not_there(rules: "RuleServiceAsyncStub", tenant: str) -> None:
    with calling(tenant):
        await rules.CreateRuleSet(pb.CreateRuleSetRequest(rule_set=quality()))
        await rules.PublishRuleSet(pb.PublishRuleSetRequest(name="ruleSets/quality"))
    with calling(f"{tenant}-x"):
        with pytest.raises(NotFound):
            await rules.GetRuleSet(pb.GetRuleSetRequest(name="ruleSets/quality"))
        with pytest.raises(NotFound):
            await rules.EvaluateRuleSet(pb.EvaluateRuleSetRequest(name="ruleSets/quality", inputs=[case("a")]))
        with pytest.raises(NotFound):
            await rules.PublishRuleSet(pb.PublishRuleSetRequest(name="ruleSets/quality"))
        assert not (await rules.ListRuleSets(pb.ListRuleSetsRequest())).rule_sets


async def test_the_default_tenant_was_given_the_sample_rules(rules: "RuleServiceAsyncStub") -> None:
    with calling():
        for name in ("sample-quality", "sample-safety"):
            kept = (await rules.GetRuleSet(pb.GetRuleSetRequest(name=f"ruleSets/{name}"))).rule_set
            assert (kept.version, kept.state) == (1, rule_set_pb2.RULE_SET_STATE_ACTIVE)


async def test_a_large_batch_is_one_call_and_quick(rules: "RuleServiceAsyncStub") -> None:
    inputs = [case(str(index), defect_rate=index / 10_000, oee=0.7) for index in range(1000)]
    began = time.process_time()
    with calling():
        answer = await rules.EvaluateRuleSet(pb.EvaluateRuleSetRequest(name="ruleSets/sample-quality", inputs=inputs))
    assert len(answer.outcomes) == 1000
    assert sum(each.severity == value_pb2.SEVERITY_CRITICAL for each in answer.outcomes) == 499
    assert time.process_time() - began < 2  # about 0.1 s where nothing else runs
