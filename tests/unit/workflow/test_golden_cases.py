"""Golden cases of the core, the validator and the templates: a new case is a new file."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from factoryai.workflow.v1 import workflow_pb2
from google.protobuf import json_format

from services.errors import Reason
from services.workflow.codec.definitions import decode_definition
from services.workflow.domain.advance import PRISTINE, NodeProgress, advance, step
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.definition import Definition, Edge, Node, RetryPolicy
from services.workflow.domain.events import (
    CancelNode,
    CancelRequested,
    Command,
    EndRun,
    Event,
    ExecuteNode,
    NodeFailed,
    NodeSucceeded,
    RetryDue,
    RunStarted,
    RunTimedOut,
    ScheduleRetry,
)
from services.workflow.domain.failure import Failure
from services.workflow.domain.figures import (
    Column,
    Direction,
    Evidence,
    Fact,
    Grain,
    JudgedItem,
    Judgment,
    Metric,
    Query,
    QueryResult,
    Window,
)
from services.workflow.domain.outputs import CodeOutput, JudgmentOutput, SwitchOutput
from services.workflow.domain.states import NodeKind, Severity
from services.workflow.domain.templates.reading import Figures, Inputs
from services.workflow.domain.templates.table import TEMPLATES
from services.workflow.domain.validator import validate

FOLDER = Path(__file__).parents[2] / "cases" / "workflow"
CASES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}


def cases(subject: str) -> pytest.MarkDecorator:
    chosen = {name: case for name, case in CASES.items() if case["subject"] == subject}
    return pytest.mark.parametrize("case", chosen.values(), ids=chosen)


def test_every_case_is_run() -> None:
    assert {case["subject"] for case in CASES.values()} == {"advance", "validator", "template"}
    assert all(case["proves"] for case in CASES.values())


# The core


@cases("advance")
def test_advance(case: dict[str, Any]) -> None:
    definition = graph(case)
    progress = PRISTINE
    history: list[Event] = []
    for number, each in enumerate(case["steps"]):
        happened = event(each["event"])
        assert [said(command) for command in advance(definition, history, happened)] == each["commands"], number
        progress, _ = step(definition, progress, happened)
        history.append(happened)
    nodes = {node_id: progress.nodes.get(node_id, NodeProgress()) for node_id in definition.by_id}
    for node_id, state in case.get("states", {}).items():
        assert nodes[node_id].state == state, node_id
    for node_id, attempts in case.get("attempts", {}).items():
        assert nodes[node_id].attempts == attempts, node_id


def graph(case: dict[str, Any]) -> Definition:
    retry = RetryPolicy(**case.get("retry", {}))
    nodes = []
    for node in case["nodes"]:
        ((node_id, kind),) = node.items() if isinstance(node, dict) else ((node, "CODE"),)
        nodes.append(Node(node_id, NodeKind(kind), None, retry))
    return Definition("golden", 1, tuple(nodes), tuple(edge(each) for each in case.get("edges", [])))


def edge(text: str) -> Edge:
    way, _, label = text.partition(" when ")
    source, _, target = way.partition(" > ")
    return Edge(source, target, label)


def event(text: str) -> Event:  # noqa: PLR0911 - one line an event
    match text.split():
        case ["started"]:
            return RunStarted()
        case ["cancel"]:
            return CancelRequested(Failure("CANCELLED", Reason.CANCELLED, "called off"))
        case ["timed", "out"]:
            return RunTimedOut(Failure("DEADLINE_EXCEEDED", Reason.DEADLINE_EXCEEDED, "too long"))
        case ["succeeded", node_id, attempt]:
            return NodeSucceeded(node_id, int(attempt), CodeOutput(()))
        case ["switched", node_id, attempt, "to", *labels]:
            return NodeSucceeded(node_id, int(attempt), SwitchOutput(tuple(labels)))
        case ["due", node_id, attempt]:
            return RetryDue(node_id, int(attempt))
        case ["failed", node_id, attempt, *how]:
            after = float(how[-1]) if "after" in how else None
            failure = Failure("UNAVAILABLE", Reason.DEPENDENCY_UNAVAILABLE, "down", retry_after=after)
            return NodeFailed(node_id, int(attempt), failure, "retryable" in how)
    raise ValueError(text)


def said(command: Command) -> str:
    match command:
        case ExecuteNode(node_id, attempt):
            return f"execute {node_id} {attempt}"
        case ScheduleRetry(node_id, attempt, backoff, at_least):
            return f"retry {node_id} {attempt} within {backoff}" + (f" at least {at_least}" if at_least else "")
        case CancelNode(node_id):
            return f"cancel {node_id}"
        case EndRun(state, failure):
            return f"end {state}" + (f" {failure.code}" if failure else "")


# The validator


@cases("validator")
def test_validator(case: dict[str, Any]) -> None:
    message = json_format.ParseDict(case["definition"], workflow_pb2.WorkflowDefinition())
    found = [(fault.field, fault.description) for fault in validate(decode_definition(message), Conditions())]
    wanted = [
        (field, words)
        for field, texts in case["faults"].items()
        for words in (texts if isinstance(texts, list) else [texts])
    ]
    assert sorted(field for field, _ in found) == sorted(field for field, _ in wanted)
    for field, words in wanted:
        assert any(at == field and words in description for at, description in found), (field, words, found)


# The templates


@cases("template")
def test_template(case: dict[str, Any]) -> None:
    figures = Figures(query(case["query"]), result(case))
    output = TEMPLATES[case["template"]].run(Inputs(figures, judgment(case)), case.get("arguments", {}))
    assert output.severity == case["severity"]
    if "facts" in case:
        wanted = [Fact(**fact) for fact in case["facts"]]
        assert [(f.name, f.metric, f.unit, f.text, f.time) for f in output.facts] == [
            (f.name, f.metric, f.unit, f.text, f.time) for f in wanted
        ]
        for fact, expected in zip(output.facts, wanted, strict=True):
            assert fact.value == (expected.value if expected.value is None else pytest.approx(expected.value)), fact
    if "evidence" in case:
        assert len(output.evidence) == len(case["evidence"])
        for each, expected in zip(output.evidence, case["evidence"], strict=True):
            assert seen(each, expected) == expected
    assert all(each.description for each in output.evidence)


def seen(evidence: Evidence, expected: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(evidence, name) for name in expected}
    if "window" in expected and evidence.window is not None:
        values["window"] = evidence.window.label
    if "targets" in expected:
        values["targets"] = list(evidence.targets)
    if "value" in expected:
        values["value"] = pytest.approx(evidence.value)
    return values


def query(given: dict[str, Any]) -> Query:
    return Query(
        metrics=tuple(given["metrics"]),
        windows=tuple(Window(*window) for window in given["windows"]),
        targets=tuple(given.get("targets", ())),
        group_by=tuple(given.get("group_by", ())),
        grain=Grain(given.get("grain", "UNSPECIFIED")),
    )


def result(case: dict[str, Any]) -> QueryResult:
    columns = {}
    for name, given in case["columns"].items():
        columns[name] = Column(
            name,
            numbers=given.get("numbers", ()),
            texts=given.get("texts", ()),
            times=[time.timestamp() for time in given.get("times", ())],
            null_rows=frozenset(given.get("null_rows", ())),
        )
    metrics = {
        name: Metric(name, **(given | {"direction": Direction(given.get("direction", "UNSPECIFIED"))}))
        for name, given in case["metrics"].items()
    }
    count = max(len(column.numbers) or len(column.texts) or len(column.times) for column in columns.values())
    return QueryResult(columns, count, metrics, stale=case.get("stale", False), as_of=case.get("as_of"))


def judgment(case: dict[str, Any]) -> JudgmentOutput | None:
    if "judgment" not in case:
        return None
    given = case["judgment"]
    items = tuple(
        JudgedItem(
            target=item.get("target", ""),
            window=Window(*item["window"]) if "window" in item else None,
            value=item.get("value"),
            rank=item["rank"],
            difference=item.get("difference"),
            difference_ratio=item.get("difference_ratio"),
            share=item.get("share"),
            severity=Severity(item.get("severity", "UNSPECIFIED")),
        )
        for item in given["items"]
    )
    return JudgmentOutput(Judgment("judgments/1", given["metric"], Severity(given["severity"]), 0.9, items), b"")
