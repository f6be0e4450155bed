"""ask, classify and chat: what is sent, what is shown, and what a script is told."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.router.v1 import intent_pb2, router_service_pb2
from factoryai.type.v1 import value_pb2
from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from services.cli.exit_codes import ExitCode
from tests.unit.cli import samples
from tests.unit.cli.conftest import Factoryai
from tests.unit.cli.edge import Edge

STREAM, ASK = "POST /v1/ask:stream", "POST /v1/ask"
LINE = decision_pb2.Chart(type=decision_pb2.CHART_TYPE_LINE, x="time", y=["defect_rate"])
BAR = decision_pb2.Chart(type=decision_pb2.CHART_TYPE_BAR, x="line", y=["downtime"])


def test_a_trend_is_answered_with_words_table_and_sparkline(factoryai: Factoryai, edge: Edge) -> None:
    made = samples.decision(samples.trend_table([0.02, 0.025, 0.0, 0.031], nulls=[2]), LINE)
    edge.answer(STREAM, *samples.stream(made))
    ran = factoryai("ask", "오늘 1라인 불량률 어때?", "--plant", "sample", "--as-of", "2025-11-22", "--lang", "ko")
    assert ran.code == ExitCode.OK
    assert "[주의] 불량률은 3.1%입니다." in ran.out
    assert "2025-11-17" in ran.out
    assert "3.1%" in ran.out
    assert "–" in ran.out, "a row without a value is a dash, never 0"
    assert "▁▄ █" in ran.out
    assert "\x1b" not in ran.out + ran.err, "no colour in a pipe"
    assert not ran.err, "no progress in a pipe"
    sent = edge.asked[0]
    assert sent.headers["authorization"] == "Bearer token-of-tests"
    assert sent.body["asOf"] == "2025-11-21T15:00:00Z", "a time without an offset is the plant's"
    assert sent.body["requestId"]


def test_a_ranking_is_answered_with_bars_in_the_language_of_the_answer(factoryai: Factoryai, edge: Edge) -> None:
    edge.answer(STREAM, *samples.stream(samples.decision(samples.rank_table(), BAR, "It is line 3.", "en")))
    ran = factoryai("ask", "which line?", "--lang", "ko")
    assert "[warning] It is line 3." in ran.out
    assert "Downtime" in ran.out
    assert "1,240 min" in ran.out
    long, short = (line.count("█") for line in ran.out.splitlines() if "█" in line)
    assert long == 2 * short


def test_evidence_is_shown_where_it_is_asked_for(factoryai: Factoryai, edge: Edge) -> None:
    edge.answer(STREAM, *samples.stream(samples.decision(language="en")))
    assert "1,234" not in factoryai("ask", "x").out
    shown = factoryai("ask", "x", "--evidence").out
    assert "Defect rate of line 1" in shown
    assert "1,234" in shown
    assert "3.1% / 3.0%" in shown


def test_periods_side_by_side_are_named_as_the_plan_has_them(factoryai: Factoryai, edge: Edge) -> None:
    windows = value_pb2.Column(
        id="window", label=samples.both("기간", "Period"), type=value_pb2.COLUMN_TYPE_NUMBER, numbers=[0, 1]
    )
    table = samples.rank_table()
    table.columns[0].CopyFrom(windows)
    made = samples.decision(table, language="en")
    bare = samples.decision(table, language="en")
    data = made.plan.definition.nodes.add(id="figures").data
    for label, day in (("today", 22), ("yesterday", 21)):
        start = datetime(2025, 11, day - 1, 15, tzinfo=UTC)
        end = samples.stamp(start + timedelta(days=1))
        data.query.windows.add(label=label, start_time=samples.stamp(start), end_time=end)
    edge.answer(STREAM, *samples.stream(made))
    edge.answer(STREAM, *samples.stream(bare))
    told = factoryai("ask", "x").out
    assert "today (2025-11-22 – 2025-11-23)" in told
    assert "yesterday (2025-11-21 – 2025-11-22)" in told
    assert "Period" in factoryai("ask", "x").out, "without a plan the numbers stay"


def test_json_is_that_of_the_api_untouched(factoryai: Factoryai, edge: Edge) -> None:
    text = '{"decision": {"name": "decisions/1",  "state":"DECISION_STATE_SUCCEEDED", "fieldOfTomorrow": "불량"}}'
    edge.say(ASK, text)
    ran = factoryai("ask", "x", "--json")
    assert ran.out == text + "\n"
    assert ran.code == ExitCode.OK


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (decision_pb2.DECISION_STATE_SUCCEEDED, ExitCode.OK),
        (decision_pb2.DECISION_STATE_RUNNING, ExitCode.UNFINISHED),
        (decision_pb2.DECISION_STATE_CANCELLED, ExitCode.UNFINISHED),
    ],
)
def test_the_state_of_the_decision_is_the_exit_code(
    factoryai: Factoryai, edge: Edge, state: "decision_pb2.DecisionState.ValueType", code: ExitCode
) -> None:
    made = samples.decision()
    made.state = state
    edge.answer(STREAM, *samples.stream(made))
    edge.answer(ASK, orchestrator_service_pb2.AskResponse(decision=made))
    assert factoryai("ask", "x").code == code
    assert factoryai("ask", "x", "--json").code == code


def test_text_of_others_cannot_steer_the_terminal(factoryai: Factoryai, edge: Edge) -> None:
    made = samples.decision(text="[red]불량률[/red] \x1b[2J\x1b]0;owned\x07 \u202egnp.exe <script>alert(1)</script>")
    edge.answer(STREAM, *samples.stream(made))
    ran = factoryai("ask", "x")
    assert "[red]불량률[/red]" in ran.out
    assert "<script>alert(1)</script>" in ran.out
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out)


@pytest.mark.parametrize(
    ("http", "code", "exit_code"),
    [
        (400, code_pb2.INVALID_ARGUMENT, ExitCode.INVALID),
        (401, code_pb2.UNAUTHENTICATED, ExitCode.REFUSED),
        (403, code_pb2.PERMISSION_DENIED, ExitCode.REFUSED),
        (404, code_pb2.NOT_FOUND, ExitCode.NOT_FOUND),
        (409, code_pb2.ALREADY_EXISTS, ExitCode.CONFLICT),
        (409, code_pb2.ABORTED, ExitCode.CONFLICT),
        (400, code_pb2.FAILED_PRECONDITION, ExitCode.CONFLICT),
        (429, code_pb2.RESOURCE_EXHAUSTED, ExitCode.UNAVAILABLE),
        (503, code_pb2.UNAVAILABLE, ExitCode.UNAVAILABLE),
        (504, code_pb2.DEADLINE_EXCEEDED, ExitCode.UNFINISHED),
        (500, code_pb2.INTERNAL, ExitCode.INTERNAL),
    ],
)
def test_every_refusal_has_its_exit_code_and_its_request_id(
    factoryai: Factoryai, edge: Edge, http: int, code: int, exit_code: ExitCode
) -> None:
    edge.refuse(STREAM, http, code, "one sentence")
    ran = factoryai("ask", "x")
    assert ran.code == exit_code
    assert "Request id: req-1" in ran.err
    assert "Traceback" not in ran.err
    assert not ran.out


def test_a_refusal_names_reason_fields_and_when_to_retry(factoryai: Factoryai, edge: Edge) -> None:
    violation = error_details_pb2.BadRequest.FieldViolation(field="question", description="at most 500 characters")
    edge.refuse(
        STREAM,
        400,
        code_pb2.INVALID_ARGUMENT,
        "the request is wrong",
        error_details_pb2.ErrorInfo(reason="ERROR_REASON_UNKNOWN_PLANT", metadata={"plant": "moon"}),
        error_details_pb2.BadRequest(field_violations=[violation]),
        error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=2)),
        error_details_pb2.RequestInfo(request_id="of-the-log"),
    )
    told = factoryai("ask", "x", "--lang", "ko").err
    assert "그런 공장이 없어요" in told
    assert "plant=moon" in told
    assert "question: at most 500 characters" in told
    assert "2초 뒤에" in told
    assert "of-the-log" in told


def test_a_reason_of_tomorrow_is_told_in_the_words_of_the_server(factoryai: Factoryai, edge: Edge) -> None:
    edge.refuse(
        STREAM,
        400,
        code_pb2.FAILED_PRECONDITION,
        "the moon is full",
        error_details_pb2.ErrorInfo(reason="ERROR_REASON_FULL_MOON"),
        error_details_pb2.LocalizedMessage(locale="ko", message="보름달이 떴습니다."),
        error_details_pb2.LocalizedMessage(locale="en", message="There is a full moon."),
    )
    assert factoryai("ask", "x", "--lang", "ko").err.startswith("보름달이 떴습니다.")
    assert factoryai("ask", "x", "--lang", "en").err.startswith("There is a full moon.")


def test_an_error_in_the_stream_is_a_refusal(factoryai: Factoryai, edge: Edge) -> None:
    status = status_pb2.Status(code=code_pb2.UNAVAILABLE, message="the data layer is away")
    edge.answer(STREAM, samples.stream(samples.decision())[0], orchestrator_service_pb2.AskStreamResponse(error=status))
    ran = factoryai("ask", "x")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "the data layer is away" in ran.err


def test_a_stream_that_just_stops_is_no_answer(factoryai: Factoryai, edge: Edge) -> None:
    edge.answer(STREAM, samples.stream(samples.decision())[0])
    assert factoryai("ask", "x").code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize("text", ["<html>captive portal</html>", "[1, 2]", ""])
def test_an_answer_of_somebody_else_is_told_as_such(factoryai: Factoryai, edge: Edge, text: str) -> None:
    edge.say(ASK, text)
    ran = factoryai("ask", "x", "--json")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "makes no sense" in ran.err


def test_an_error_without_a_status_is_told_by_its_http_status(factoryai: Factoryai, edge: Edge) -> None:
    edge.say(ASK, "bad gateway", status=502)
    assert factoryai("ask", "x", "--json").code == ExitCode.UNAVAILABLE


def test_nobody_there(factoryai: Factoryai) -> None:
    ran = factoryai("ask", "x", "--url", "http://127.0.0.1:9")
    assert ran.code == ExitCode.UNAVAILABLE
    assert "cannot be reached" in ran.err


def test_classify_shows_intent_and_slots(factoryai: Factoryai, edge: Edge) -> None:
    slot = intent_pb2.Slot(
        name="target", value="line:L03", text="3라인", confidence=1, origin=intent_pb2.SLOT_ORIGIN_STATED
    )
    found = intent_pb2.Classification(
        intent=intent_pb2.INTENT_FIND_CAUSE,
        confidence=0.91,
        route_target=intent_pb2.ROUTE_TARGET_JUDGMENT_ENGINE,
        slots=[slot],
        secondary_intents=[intent_pb2.SecondaryIntent(intent=intent_pb2.INTENT_CHECK, confidence=0.2)],
        ask_back=intent_pb2.AskBack(
            question="어느 지표요?", options=[intent_pb2.AskBackOption(value="oee", label=samples.both("OEE", "OEE"))]
        ),
    )
    edge.answer("POST /v1/intents:classify", router_service_pb2.ClassifyResponse(classification=found))
    ran = factoryai("classify", "3라인 왜 그래?", "--lang", "ko")
    for told in ("원인 (FIND_CAUSE)", "0.91", "JUDGMENT_ENGINE", "line:L03", "말함", "현황 (CHECK) 0.20", "1. OEE"):
        assert told in ran.out
    assert json.loads(factoryai("classify", "x", "--json").out)["classification"]["intent"] == "INTENT_FIND_CAUSE"


def test_a_conversation_goes_on_and_takes_options_by_number(
    factoryai: Factoryai, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = samples.decision(text="어느 라인인가요?")
    asking.answer.ask_back.options.add(value="line:L01", label=samples.both("1라인", "Line 1"))
    asking.answer.ask_back.options.add(value="line:L02", label=samples.both("2라인", "Line 2"))
    edge.answer(STREAM, *samples.stream(asking))
    edge.answer(STREAM, *samples.stream(samples.decision()))
    monkeypatch.setattr(sys, "stdin", io.StringIO("불량률 어때?\n\n2\n/quit\nnever asked\n"))
    ran = factoryai("chat", "--lang", "ko")
    assert ran.code == ExitCode.OK
    assert "2. 2라인" in ran.out
    assert [each.body["question"] for each in edge.asked] == ["불량률 어때?", "2라인"]
    assert len({each.body["conversation"] for each in edge.asked}) == 1
    assert len({each.body["requestId"] for each in edge.asked}) == 2


def test_one_bad_question_does_not_end_a_conversation(
    factoryai: Factoryai, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.refuse(ASK, 400, code_pb2.INVALID_ARGUMENT, "too long")
    edge.answer(ASK, orchestrator_service_pb2.AskResponse(decision=samples.decision()))
    monkeypatch.setattr(sys, "stdin", io.StringIO("long\nshort\n"))
    ran = factoryai("chat", "--json")
    assert ran.code == ExitCode.OK
    assert len(ran.out.splitlines()) == 1
    assert "too long" in ran.err


def test_a_closed_door_does(factoryai: Factoryai, edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    edge.refuse(STREAM, 401, code_pb2.UNAUTHENTICATED, "no")
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo\n"))
    assert factoryai("chat").code == ExitCode.REFUSED
    assert len(edge.asked) == 1
