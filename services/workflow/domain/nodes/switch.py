"""SWITCH: chooses a branch by conditions, or by what a rule set finds."""

from collections.abc import Sequence
from typing import Final

from services.errors import FailedPrecondition, Internal, Reason
from services.workflow.domain.conditions import facts_of
from services.workflow.domain.definition import RuleSetRef, SwitchConfig
from services.workflow.domain.figures import Evidence, EvidenceKind, QueryResult, Scalar
from services.workflow.domain.nodes.work import Tools, Work
from services.workflow.domain.outputs import DataOutput, NodeOutput, SwitchOutput
from services.workflow.domain.ports import RuleCase, RuleVerdict
from services.workflow.domain.states import Severity, worst

_MOST_EVIDENCE: Final = 100


async def choose(tools: Tools, work: Work) -> NodeOutput:
    """Take the first case that matches, or all of them, else the default.

    Raises FailedPrecondition (NO_BRANCH_TAKEN) where nothing matches and there is no default.
    """
    config = work.node.config
    if not isinstance(config, SwitchConfig):
        raise Internal(f"{work.node.id} is configured as no SWITCH node")
    output = work.outputs[config.input_node]
    if config.rule_set is None:
        holding = tools.conditions.holding([case.condition for case in config.cases], output)
        matching = [case.label for case, holds in zip(config.cases, holding, strict=True) if holds]
        return SwitchOutput(_taken(work, config, matching))
    cases = _cases(output)
    verdict = await tools.rules.evaluate(config.rule_set, cases) if cases else RuleVerdict((), "")
    severity = worst(outcome.severity for outcome in verdict.outcomes) if cases else Severity.UNKNOWN
    matching = [case.label for case in config.cases if case.label == severity.value.lower()]
    return SwitchOutput(_taken(work, config, matching), severity, _evidence(config.rule_set, verdict, output))


def _taken(work: Work, config: SwitchConfig, matching: Sequence[str]) -> tuple[str, ...]:
    if matching:
        return tuple(matching) if config.take_all else (matching[0],)
    if not config.default_label:
        raise FailedPrecondition(
            f"no case of {work.node.id} matched and it has no default",
            reason=Reason.NO_BRANCH_TAKEN,
            metadata={"node": work.node.id},
        )
    return (config.default_label,)


def _cases(output: NodeOutput) -> list[RuleCase]:
    """Return one case a row of figures, or one of all that another node found; none where there is nothing."""
    if isinstance(output, DataOutput):
        return [RuleCase(str(row), _row(output.result, row)) for row in range(output.result.row_count)]
    facts: dict[str, Scalar] = {name: value for name, value in facts_of(output).items() if "." not in name}
    return [RuleCase("0", facts)] if facts else []


def _row(result: QueryResult, row: int) -> dict[str, Scalar]:
    values: dict[str, Scalar] = {}
    for column in result.columns.values():
        if row in column.null_rows:
            continue
        if column.numbers:
            values[column.id] = column.numbers[row]
        elif column.texts:
            values[column.id] = column.texts[row]
    return values


def _evidence(rule_set: RuleSetRef, verdict: RuleVerdict, output: NodeOutput) -> tuple[Evidence, ...]:
    found = [(row, match) for row, outcome in enumerate(verdict.outcomes) for match in outcome.matches]
    return tuple(
        Evidence(
            id=f"e{number}",
            kind=EvidenceKind.RULE,
            source=verdict.version or rule_set.name,
            targets=_targets(output.result, row) if isinstance(output, DataOutput) else (),
            rule=match.rule,
            description=match.explanation,
            severity=match.severity,
        )
        for number, (row, match) in enumerate(found[:_MOST_EVIDENCE], start=1)
    )


def _targets(result: QueryResult, row: int) -> tuple[str, ...]:
    """Return what a row is about: its splits are its only columns of texts."""
    splits = [column for column in result.columns.values() if column.texts and row not in column.null_rows]
    return tuple(f"{column.id}:{column.texts[row]}" for column in splits if column.texts[row])
