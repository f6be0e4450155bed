"""SWITCH: conditions over what earlier nodes gave, and rules over each of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from services.errors import FailedPrecondition, Internal, Invalid
from services.workflow.domain.conditions import Conditions, variables
from services.workflow.domain.definition import Definition, Node, RuleSetRef, SwitchCase, SwitchConfig
from services.workflow.domain.figures import Column, Fact, JudgedItem, Judgment, Metric, QueryResult
from services.workflow.domain.nodes.code import compute
from services.workflow.domain.nodes.data import read
from services.workflow.domain.nodes.judgment import judge
from services.workflow.domain.nodes.switch import choose
from services.workflow.domain.nodes.work import Handler, Tools, Work
from services.workflow.domain.outputs import CodeOutput, DataOutput, JudgmentOutput, NodeOutput, SwitchOutput
from services.workflow.domain.ports import DataReader, Judge, RuleCase, RuleMatch, RuleOutcome, RuleVerdict
from services.workflow.domain.states import NodeKind, Severity

FIGURES = DataOutput(
    QueryResult(
        {
            "line": Column("line", texts=["L01", "", "L03"], null_rows=frozenset({1})),
            "oee": Column("oee", numbers=[0.5, 0.0, 0.9], null_rows=frozenset({1})),
            "time": Column("time", times=[1.0, 2.0, 3.0]),
        },
        3,
        {"oee": Metric("oee")},
    ),
    b"",
)
NO_FIGURES = DataOutput(QueryResult({"oee": Column("oee")}, 0, {"oee": Metric("oee")}), b"")
NOT_KNOWN = DataOutput(
    QueryResult({"oee": Column("oee", numbers=[0.0], null_rows=frozenset({0}))}, 1, {"oee": Metric("oee")}), b""
)
FACTS = CodeOutput(
    (Fact("value", "oee", 0.5), Fact("value", "yield_rate", 0.9), Fact("change", "oee")), Severity.WARNING
)


def item(value: float | None, difference: float | None = None) -> JudgedItem:
    return JudgedItem("line:L01", None, value, 1, difference, None, None, Severity.NORMAL)


JUDGMENT = JudgmentOutput(Judgment("judgments/1", "oee", Severity.CRITICAL, 0.75, (item(0.9), item(0.5, -0.4))), b"")


@dataclass
class Rules:
    """Rules that find what they are told to, one outcome a case."""

    found: Sequence[Severity] = ()
    asked: list[Sequence[RuleCase]] = field(default_factory=list)

    async def evaluate(self, rule_set: RuleSetRef, cases: Sequence[RuleCase]) -> RuleVerdict:
        assert rule_set == RuleSetRef("ruleSets/quality", 2)
        self.asked.append(cases)
        outcomes = tuple(
            RuleOutcome(case.key, severity, (RuleMatch("too_low", severity),))
            for case, severity in zip(cases, self.found, strict=True)
        )
        return RuleVerdict(outcomes, "ruleSets/quality@2:abc")


def work(output: NodeOutput, config: SwitchConfig | None) -> Work:
    node = Node("choose", NodeKind.SWITCH, config)
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return Work("run", "plants/sample", now, Definition("d", 1, (node,)), node, {"before": output})


def tools(rules: Rules | None = None) -> Tools:
    # Neither is reached: a SWITCH reads what is there.
    data: DataReader
    judgments: Judge
    data = judgments = None  # type: ignore[assignment]
    return Tools(data, judgments, rules or Rules(), Conditions())


async def by_conditions(
    output: NodeOutput, *conditions: str, default: str = "", take_all: bool = False
) -> SwitchOutput:
    cases = tuple(SwitchCase(f"case{number}", condition) for number, condition in enumerate(conditions))
    config = SwitchConfig("before", cases, default_label=default, take_all=take_all)
    found = await choose(tools(), work(output, config))
    assert isinstance(found, SwitchOutput)
    return found


@pytest.mark.parametrize(
    ("output", "condition"),
    [
        (FIGURES, "row_count == 3 && facts.oee == 0.5 && severity == ''"),
        (NO_FIGURES, "row_count == 0 && !has(facts.oee)"),
        (NOT_KNOWN, "row_count == 1 && !('oee' in facts)"),
        (
            FACTS,
            "severity == 'warning' && facts.value == 0.5 && facts['yield_rate.value'] == 0.9 && !has(facts.change)",
        ),
        (JUDGMENT, "severity == 'critical' && facts.confidence == 0.75 && row_count == 2"),
        (
            JUDGMENT,
            "facts.first == 0.9 && facts.last == 0.5 && facts.last_difference < -0.3 && !has(facts.first_difference)",
        ),
        (SwitchOutput(("a",)), "row_count == 0 && size(facts) == 0"),
    ],
)
async def test_what_conditions_read(output: NodeOutput, condition: str) -> None:
    assert (await by_conditions(output, condition)).labels == ("case0",), variables(output)


async def test_the_first_case_or_all_of_them() -> None:
    conditions = ("false", "facts.oee < 0.6", "row_count > 1")
    assert (await by_conditions(FIGURES, *conditions)).labels == ("case1",)
    assert (await by_conditions(FIGURES, *conditions, take_all=True)).labels == ("case1", "case2")


async def test_the_default_or_an_error() -> None:
    assert (await by_conditions(FIGURES, "false", default="other")).labels == ("other",)
    with pytest.raises(FailedPrecondition):
        await by_conditions(FIGURES, "false")


async def test_a_figure_that_is_not_there_is_an_error_and_no_branch() -> None:
    with pytest.raises(Invalid):
        await by_conditions(NOT_KNOWN, "facts.oee < 0.6", default="other")


async def by_rules(output: NodeOutput, rules: Rules, *labels: str) -> SwitchOutput:
    config = SwitchConfig("before", tuple(map(SwitchCase, labels)), RuleSetRef("ruleSets/quality", 2), "other")
    found = await choose(tools(rules), work(output, config))
    assert isinstance(found, SwitchOutput)
    return found


@pytest.mark.parametrize(
    ("found", "severity", "label"),
    [
        ((Severity.NORMAL, Severity.CRITICAL, Severity.WARNING), Severity.CRITICAL, "critical"),
        ((Severity.NORMAL, Severity.UNKNOWN, Severity.NORMAL), Severity.UNKNOWN, "other"),
        ((Severity.UNKNOWN, Severity.WARNING, Severity.NORMAL), Severity.WARNING, "other"),
    ],
)
async def test_the_worst_row_decides(found: tuple[Severity, ...], severity: Severity, label: str) -> None:
    output = await by_rules(FIGURES, Rules(found), "critical", "normal")
    assert (output.severity, output.labels) == (severity, (label,))
    assert [evidence.severity for evidence in output.evidence] == list(found)
    assert [evidence.targets for evidence in output.evidence] == [("line:L01",), (), ("line:L03",)]
    assert {(each.source, each.rule) for each in output.evidence} == {("ruleSets/quality@2:abc", "too_low")}


async def test_rules_read_each_row_in_one_call_without_what_is_unknown() -> None:
    rules = Rules([Severity.NORMAL] * 3)
    await by_rules(FIGURES, rules, "normal")
    assert rules.asked == [
        [RuleCase("0", {"line": "L01", "oee": 0.5}), RuleCase("1", {}), RuleCase("2", {"line": "L03", "oee": 0.9})]
    ]


async def test_rules_read_facts_as_one_case() -> None:
    rules = Rules([Severity.NORMAL])
    await by_rules(FACTS, rules, "normal")
    assert rules.asked == [[RuleCase("0", {"value": 0.5})]]


@pytest.mark.parametrize("output", [NO_FIGURES, CodeOutput(())])
async def test_without_rows_nobody_can_tell(output: NodeOutput) -> None:
    rules = Rules()
    found = await by_rules(output, rules, "normal", "unknown")
    assert (found.labels, found.severity, rules.asked) == (("unknown",), Severity.UNKNOWN, [])


@pytest.mark.parametrize("handler", [choose, read, judge, compute])
async def test_a_configuration_of_another_kind_is_our_own_bug(handler: Handler) -> None:
    with pytest.raises(Internal):
        await handler(tools(), work(FIGURES, None))
