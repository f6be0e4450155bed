"""What a SWITCH condition may read, and the CEL behind it."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.expressions import Environment, Expression, VariableType
from services.workflow.domain.figures import Fact, Judgment, QueryResult
from services.workflow.domain.outputs import CodeOutput, DataOutput, JudgmentOutput, NodeOutput
from services.workflow.domain.states import Severity

_VARIABLES: Final = {
    "severity": VariableType.TEXT,
    "facts": VariableType.MAP,
    "row_count": VariableType.INTEGER,
}
_MOST_KEPT: Final = 1000


class Conditions:
    """Compiles conditions and remembers them: the same plan comes again and again."""

    def __init__(self) -> None:
        self._environment = Environment(_VARIABLES)
        self._compiled: dict[str, Expression] = {}

    def compile(self, source: str) -> Expression:
        """Compile a condition. Raises Invalid (INVALID_EXPRESSION) where it does not parse, type-check or fit."""
        found = self._compiled.get(source)
        if found is None:
            found = self._environment.compile(source, result=VariableType.BOOLEAN)
            if len(self._compiled) >= _MOST_KEPT:
                self._compiled.clear()
            self._compiled[source] = found
        return found

    def holding(self, sources: Sequence[str], output: NodeOutput) -> list[bool]:
        """Evaluate conditions over the output of a node. Raises EvaluationError."""
        values = self._environment.bind(variables(output))
        return [bool(self.compile(source).evaluate(values)) for source in sources]


def variables(output: NodeOutput) -> Mapping[str, object]:
    """Return what conditions read of an output: `severity` in lower case, `facts`, `row_count`."""
    severity, facts, row_count = Severity.UNSPECIFIED, facts_of(output), 0
    match output:
        case DataOutput(result=result):
            row_count = result.row_count
        case JudgmentOutput(judgment=judgment):
            severity, row_count = judgment.severity, len(judgment.items)
        case CodeOutput():
            severity = output.severity
    word = "" if severity is Severity.UNSPECIFIED else severity.value.lower()
    return {"severity": word, "facts": facts, "row_count": row_count}


def facts_of(output: NodeOutput) -> dict[str, float]:
    """Return the figures of an output by name; those that the data do not give are left out.

    Of DATA: the first row, by metric. Of CODE: by `metric.name` and, the first of each, by `name`. Of JUDGMENT: its
    confidence, and value and difference of its first and last item.
    """
    match output:
        case DataOutput(result=result):
            return _first_row(result)
        case JudgmentOutput(judgment=judgment):
            return _of_judgment(judgment)
        case CodeOutput(facts=facts):
            return _by_name(facts)
    return {}


def _first_row(result: QueryResult) -> dict[str, float]:
    if not result.row_count:
        return {}
    known = ((name, result.columns[name].number(0)) for name in result.metrics if name in result.columns)
    return {name: value for name, value in known if value is not None}


def _of_judgment(judgment: Judgment) -> dict[str, float]:
    facts = {"confidence": judgment.confidence}
    for place, items in (("first", judgment.items[:1]), ("last", judgment.items[-1:])):
        for item in items:
            if item.value is not None:
                facts[place] = item.value
            if item.difference is not None:
                facts[f"{place}_difference"] = item.difference
    return facts


def _by_name(found: Sequence[Fact]) -> dict[str, float]:
    facts: dict[str, float] = {}
    for fact in found:
        if fact.value is not None:
            facts.setdefault(fact.name, fact.value)
            facts.setdefault(f"{fact.metric}.{fact.name}", fact.value)
    return facts
