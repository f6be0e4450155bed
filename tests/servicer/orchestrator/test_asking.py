"""The orchestrator through its real chain on a real PostgreSQL, beside neighbours that hang and fail on demand."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from factoryai.orchestrator.v1 import decision_pb2
from factoryai.orchestrator.v1 import orchestrator_service_pb2 as pb
from factoryai.orchestrator.v1.orchestrator_service_pb2_grpc import OrchestratorServiceStub
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import value_pb2

from services.chassis.clock import SystemClock
from services.chassis.host import Part
from services.chassis.ids import new_id
from services.chassis.settings import ServiceSettings
from services.errors import (
    AlreadyExists,
    Conflict,
    DeadlineExceeded,
    FailedPrecondition,
    Invalid,
    NotFound,
    Overloaded,
    Reason,
    Unavailable,
)
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.wiring import build
from tests.support.neighbours import RUN, Script, parts
from tests.support.server import WIRINGS, Running, calling, serve, settings, until

if TYPE_CHECKING:
    from factoryai.orchestrator.v1.orchestrator_service_pb2_grpc import OrchestratorServiceAsyncStub

ASK = "3라인 불량률 얼마야?"
RUNNING = decision_pb2.DECISION_STATE_RUNNING
SUCCEEDED = decision_pb2.DECISION_STATE_SUCCEEDED
FAILED = decision_pb2.DECISION_STATE_FAILED
CANCELLED = decision_pb2.DECISION_STATE_CANCELLED


class NeighbourSettings(ServiceSettings):
    port: int = 0


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=WIRINGS)
async def running(
    request: pytest.FixtureRequest, script: Script, postgres_url: str, tmp_path: Path
) -> AsyncIterator[Running]:
    told = settings(
        OrchestratorSettings,
        tmp_path,
        database_url=postgres_url,
        ask_answer_s=0.5,
        ask_background=2,
        catalog_stale_s=0.001,
    )
    neighbours = parts(script, settings(NeighbourSettings, tmp_path))
    async with serve(Part(told, build), *neighbours, wiring=request.param) as running:
        await until(running.host.health.ready)
        yield running
        script.gate.set()


@pytest.fixture
def stub(running: Running) -> "OrchestratorServiceAsyncStub":
    stub: OrchestratorServiceAsyncStub = OrchestratorServiceStub(running.channel("orchestrator"))
    return stub


@pytest.fixture
def tenant() -> str:
    return f"t-{new_id(SystemClock())}"


@pytest.fixture(autouse=True)
def _caller(tenant: str) -> Iterator[None]:
    with calling(tenant, "dana"):
        yield


async def get(stub: "OrchestratorServiceAsyncStub", name: str) -> decision_pb2.Decision:
    return (await stub.GetDecision(pb.GetDecisionRequest(name=name))).decision


async def ended(stub: "OrchestratorServiceAsyncStub", name: str) -> decision_pb2.Decision:
    async def over() -> bool:
        return (await get(stub, name)).state != RUNNING

    await until(over)
    return await get(stub, name)


async def test_an_answer_is_durable_and_whole(stub: "OrchestratorServiceAsyncStub", script: Script) -> None:
    response = await stub.Ask(pb.AskRequest(question=ASK))
    decision = response.decision
    assert response.created
    assert decision.state == SUCCEEDED
    assert (decision.plant, decision.principal, decision.language, decision.run) == ("plants/sample", "dana", "ko", RUN)
    assert decision.plan.template == "check@1"
    assert [node.id for node in decision.plan.definition.nodes] == ["figures", "facts"]
    assert decision.answer.severity == value_pb2.SEVERITY_WARNING
    assert "3.1%" in decision.answer.text
    assert decision.answer.evidence[0].value == 0.031
    assert decision.answer.evidence[0].threshold == 0.025
    assert decision.answer.chart.type == decision_pb2.CHART_TYPE_KPI
    assert await get(stub, decision.name) == decision
    assert script.runs[0].definition == decision.plan.definition
    assert script.runs[0].plant == "plants/sample"


@pytest.mark.parametrize("plant", ["sample", "plants/sample"])
async def test_a_plant_may_be_named_either_way(stub: "OrchestratorServiceAsyncStub", plant: str) -> None:
    assert (await stub.Ask(pb.AskRequest(question=ASK, plant=plant))).decision.plant == "plants/sample"


async def test_an_unknown_plant_is_not_found(stub: "OrchestratorServiceAsyncStub") -> None:
    with pytest.raises(NotFound) as missing:
        await stub.Ask(pb.AskRequest(question=ASK, plant="moon"))
    assert missing.value.reason is Reason.UNKNOWN_PLANT
    assert (await stub.ListDecisions(pb.ListDecisionsRequest())).decisions == []


@pytest.mark.parametrize("question", ["", "가" * 501])
async def test_a_question_has_a_length(stub: "OrchestratorServiceAsyncStub", question: str) -> None:
    with pytest.raises(Invalid) as refused:
        await stub.Ask(pb.AskRequest(question=question))
    assert refused.value.violations[0].field == "question"


async def test_a_repetition_is_the_same_decision(stub: "OrchestratorServiceAsyncStub", script: Script) -> None:
    request = pb.AskRequest(question=ASK, request_id="once")
    first = await stub.Ask(request)
    second = await stub.Ask(request)
    assert (first.created, second.created) == (True, False)
    assert second.decision == first.decision
    assert len(script.runs) == 1
    with pytest.raises(AlreadyExists) as reused:
        await stub.Ask(pb.AskRequest(question="2라인은?", request_id="once"))
    assert reused.value.reason is Reason.REQUEST_ID_REUSED
    events = [event async for event in stub.AskStream(pb.AskStreamRequest(question=ASK, request_id="once"))]
    assert [event.WhichOneof("event") for event in events] == ["decision"]
    assert events[0].decision == first.decision
    assert not events[0].created


async def test_a_stream_tells_each_step(stub: "OrchestratorServiceAsyncStub") -> None:
    events = [event async for event in stub.AskStream(pb.AskStreamRequest(question="Line 3 defect rate please?"))]
    steps = [event.progress for event in events[:-1]]
    assert [pb.AskStage.Name(step.stage) for step in steps] == [
        "ASK_STAGE_ACCEPTED",
        "ASK_STAGE_CLASSIFIED",
        "ASK_STAGE_PLANNED",
        "ASK_STAGE_EXECUTED",
    ]
    assert all(step.decision == events[-1].decision.name and step.message for step in steps)
    assert steps[1].classification.intent == intent_pb2.INTENT_CHECK
    assert steps[0].message == "Got the question."
    assert events[-1].decision.state == SUCCEEDED
    assert events[-1].created
    assert events[-1].decision == await get(stub, events[-1].decision.name)


async def test_an_answer_that_takes_long_is_brought_to_its_end(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.gate.clear()
    request = pb.AskRequest(question=ASK, conversation="slow", request_id="slow")
    running = (await stub.Ask(request)).decision
    assert running.state == RUNNING
    assert running.plan.template == "check@1"
    assert not running.HasField("answer")
    assert (await get(stub, running.name)).state == RUNNING
    script.gate.set()
    assert (await ended(stub, running.name)).state == SUCCEEDED
    repeated = await stub.Ask(request)
    assert repeated.decision.state == SUCCEEDED
    assert not repeated.created
    talk = (await stub.GetConversation(pb.GetConversationRequest(name="conversations/slow"))).conversation
    assert talk.context.last_intent == intent_pb2.INTENT_CHECK
    assert list(talk.decisions) == [running.name]


async def test_a_callers_own_deadline_is_kept(
    stub: "OrchestratorServiceAsyncStub", script: Script, tenant: str
) -> None:
    script.gate.clear()
    with calling(tenant, "dana", within_s=0.9):
        assert (await stub.Ask(pb.AskRequest(question=ASK))).decision.state == RUNNING


async def test_only_so_many_questions_go_on_in_the_background(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.gate.clear()
    kept = [(await stub.Ask(pb.AskRequest(question=ASK))).decision.name for _ in range(2)]
    with pytest.raises(Overloaded):
        await stub.Ask(pb.AskRequest(question=ASK))
    script.gate.set()
    assert [(await ended(stub, name)).state for name in kept] == [SUCCEEDED, SUCCEEDED]


async def test_a_person_calls_a_question_off(stub: "OrchestratorServiceAsyncStub", script: Script) -> None:
    script.gate.clear()
    name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    first = await stub.CancelDecision(pb.CancelDecisionRequest(name=name))
    assert (first.cancelled, first.decision.state) == (True, CANCELLED)
    await until(lambda: script.cancelled == 1)
    second = await stub.CancelDecision(pb.CancelDecisionRequest(name=name))
    assert (second.cancelled, second.decision.state) == (False, CANCELLED)
    script.gate.set()
    assert (await get(stub, name)).state == CANCELLED


async def test_a_stream_that_is_called_off_ends_in_the_cancelled_decision(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.gate.clear()
    events = []
    async for event in stub.AskStream(pb.AskStreamRequest(question=ASK)):
        events.append(event)
        if event.progress.stage == pb.ASK_STAGE_PLANNED:
            await stub.CancelDecision(pb.CancelDecisionRequest(name=event.progress.decision))
    assert events[-1].decision.state == CANCELLED


async def test_what_has_ended_cannot_be_called_off(stub: "OrchestratorServiceAsyncStub") -> None:
    name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    with pytest.raises(FailedPrecondition) as refused:
        await stub.CancelDecision(pb.CancelDecisionRequest(name=name))
    assert refused.value.reason is Reason.INVALID_STATE
    assert refused.value.metadata["state"] == "SUCCEEDED"


async def test_an_acknowledged_question_survives_its_listener(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.gate.clear()
    stream = stub.AskStream(pb.AskStreamRequest(question=ASK))
    first = await anext(aiter(stream))
    await script.started.wait()
    await stream.aclose()  # type: ignore[attr-defined]
    script.gate.set()
    assert (await ended(stub, first.progress.decision)).state == SUCCEEDED


async def test_an_unacknowledged_question_is_dropped_with_its_caller(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.gate.clear()
    call = asyncio.ensure_future(stub.Ask(pb.AskRequest(question=ASK, request_id="gone")))
    await script.started.wait()
    call.cancel()
    await until(lambda: script.cancelled == 1)
    script.gate.set()

    async def free() -> bool:
        try:
            return bool((await stub.Ask(pb.AskRequest(question=ASK, request_id="gone"))).created)
        except Conflict:
            return False

    await until(free)
    assert len((await stub.ListDecisions(pb.ListDecisionsRequest())).decisions) == 1


@pytest.mark.parametrize("failing", ["router_error", "run_error", "failed_run"])
@pytest.mark.parametrize(
    "error", [Unavailable("gone", retry_after=3.0), Overloaded("full", retry_after=3.0), DeadlineExceeded("late")]
)
async def test_what_may_be_retried_is_an_error_and_a_failed_decision(
    stub: "OrchestratorServiceAsyncStub",
    script: Script,
    failing: str,
    error: Unavailable | Overloaded | DeadlineExceeded,
) -> None:
    setattr(script, failing, error)
    with pytest.raises(type(error)) as raised:
        await stub.Ask(pb.AskRequest(question=ASK, request_id="again"))
    assert raised.value.retry_after == error.retry_after
    failed = await get(stub, raised.value.metadata["decision"])
    assert failed.state == FAILED
    assert failed.error.message == error.message
    setattr(script, failing, None)
    again = await stub.Ask(pb.AskRequest(question=ASK, request_id="again"))
    assert again.created
    assert again.decision.state == SUCCEEDED


async def test_what_no_retry_mends_is_a_failed_decision(stub: "OrchestratorServiceAsyncStub", script: Script) -> None:
    script.failed_run = FailedPrecondition("no branch", reason=Reason.NO_BRANCH_TAKEN)
    decision = (await stub.Ask(pb.AskRequest(question=ASK))).decision
    assert decision.state == FAILED
    assert decision.run == RUN
    assert decision.error.message == "no branch"
    assert await get(stub, decision.name) == decision


async def test_a_failure_within_a_stream_is_its_last_event(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.run_error = Unavailable("gone", retry_after=3.0)
    events = [event async for event in stub.AskStream(pb.AskStreamRequest(question=ASK))]
    assert events[-1].WhichOneof("event") == "error"
    assert events[-1].error.code == 14
    assert (await get(stub, events[0].progress.decision)).state == FAILED


async def test_a_failure_before_the_first_event_is_an_ordinary_error(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    script.catalog_error = Unavailable("gone")
    with pytest.raises(Unavailable):
        [event async for event in stub.AskStream(pb.AskStreamRequest(question=ASK))]
    with pytest.raises(Unavailable):
        await stub.Ask(pb.AskRequest(question=ASK))
    assert (await stub.ListDecisions(pb.ListDecisionsRequest())).decisions == []


async def test_a_conversation_is_handed_to_the_router_and_remembered(
    stub: "OrchestratorServiceAsyncStub", script: Script
) -> None:
    asked = pb.AskRequest(question=ASK, conversation="conversations/talk")
    first = (await stub.Ask(asked)).decision
    assert first.conversation == "conversations/talk"
    await stub.Ask(pb.AskRequest(question="OEE?", conversation="talk"))
    context = script.asked[1].context
    assert context.last_intent == intent_pb2.INTENT_CHECK
    assert [slot.value for slot in context.last_slots] == ["defect_rate", "line:L03"]
    assert script.asked[1].language == "ko"
    talk = (await stub.GetConversation(pb.GetConversationRequest(name="conversations/talk"))).conversation
    assert len(talk.decisions) == 2
    assert (talk.plant, talk.language) == ("plants/sample", "ko")
    with pytest.raises(NotFound):
        await stub.GetConversation(pb.GetConversationRequest(name="conversations/nobody"))


async def test_feedback_is_kept_once(stub: "OrchestratorServiceAsyncStub") -> None:
    name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    request = pb.AddFeedbackRequest(name=name, request_id="thumb")
    request.feedback.thumb = decision_pb2.Feedback.THUMB_UP
    request.feedback.principal = "somebody else"
    first = await stub.AddFeedback(request)
    second = await stub.AddFeedback(request)
    assert (first.created, second.created) == (True, False)
    [given] = (await get(stub, name)).feedback
    assert given.principal == "dana"
    assert given.HasField("create_time")
    with pytest.raises(Invalid):
        await stub.AddFeedback(pb.AddFeedbackRequest(name=name, feedback=decision_pb2.Feedback()))


async def test_there_is_no_feedback_before_an_answer(stub: "OrchestratorServiceAsyncStub", script: Script) -> None:
    script.gate.clear()
    name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    request = pb.AddFeedbackRequest(name=name)
    request.feedback.rating = 3
    with pytest.raises(FailedPrecondition) as refused:
        await stub.AddFeedback(request)
    assert refused.value.reason is Reason.INVALID_STATE
    request.name = "decisions/00000000-0000-7000-8000-000000000000"
    with pytest.raises(NotFound):
        await stub.AddFeedback(request)


async def test_pages_belong_to_their_filter(stub: "OrchestratorServiceAsyncStub") -> None:
    names = [(await stub.Ask(pb.AskRequest(question=ASK))).decision.name for _ in range(3)]
    first = await stub.ListDecisions(pb.ListDecisionsRequest(page_size=2, plant="sample"))
    assert [each.name for each in first.decisions] == [names[2], names[1]]
    assert not first.decisions[0].HasField("plan")
    assert not first.decisions[0].answer.HasField("table")
    assert not first.decisions[0].answer.evidence
    rest = pb.ListDecisionsRequest(page_size=2, plant="plants/sample", page_token=first.next_page_token)
    second = await stub.ListDecisions(rest)
    assert [each.name for each in second.decisions] == [names[0]]
    assert second.next_page_token == ""
    for token, plant in ((first.next_page_token, "steel"), ("garbage", "sample"), ("🙂", "")):
        with pytest.raises(Invalid) as refused:
            await stub.ListDecisions(pb.ListDecisionsRequest(page_token=token, plant=plant))
        assert refused.value.reason is Reason.INVALID_PAGE_TOKEN


async def test_a_stopping_server_says_so_in_what_it_had_acknowledged(
    script: Script, postgres_url: str, tmp_path: Path
) -> None:
    told = settings(OrchestratorSettings, tmp_path, database_url=postgres_url, ask_answer_s=0.2, drain_grace_s=0.1)
    neighbours = parts(script, settings(NeighbourSettings, tmp_path))
    script.gate.clear()
    async with serve(Part(told, build), *neighbours) as first:
        await until(first.host.health.ready)
        stub: OrchestratorServiceAsyncStub = OrchestratorServiceStub(first.channel("orchestrator"))
        name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    script.gate.set()
    async with serve(Part(told, build), *neighbours) as second:
        await until(second.host.health.ready)
        stub = OrchestratorServiceStub(second.channel("orchestrator"))
        decision = await get(stub, name)
    assert decision.state == FAILED
    assert decision.error.code == 14


async def test_a_question_may_be_called_off_from_another_process(
    stub: "OrchestratorServiceAsyncStub", script: Script, postgres_url: str, tmp_path: Path
) -> None:
    script.gate.clear()
    name = (await stub.Ask(pb.AskRequest(question=ASK))).decision.name
    told = settings(OrchestratorSettings, tmp_path, database_url=postgres_url)
    neighbours = parts(script, settings(NeighbourSettings, tmp_path))
    async with serve(Part(told, build), *neighbours) as other:
        await until(other.host.health.ready)
        elsewhere: OrchestratorServiceAsyncStub = OrchestratorServiceStub(other.channel("orchestrator"))
        assert (await elsewhere.CancelDecision(pb.CancelDecisionRequest(name=name))).cancelled
    await until(lambda: script.cancelled == 1)
    script.gate.set()
    assert (await get(stub, name)).state == CANCELLED
