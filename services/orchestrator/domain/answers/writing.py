"""A run's results -> the answer: text, table, chart, severity, freshness, evidence, actions."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.errors import Internal
from services.orchestrator.domain.answers import check, sides, trend
from services.orchestrator.domain.answers.phrases import Phrases, join
from services.orchestrator.domain.answers.quotes import Quotes
from services.orchestrator.domain.answers.voice import Voice
from services.orchestrator.domain.decision import Answer, Chart, ChartType
from services.orchestrator.domain.figures import CodeResult, DataResult, JudgmentResult, RunResult, Severity, Table
from services.orchestrator.domain.grounding import Scope
from services.orchestrator.domain.language import Language
from services.orchestrator.domain.meaning import Intent, Window

_FEWEST_POINTS = 2


@dataclass(frozen=True, slots=True)
class _Said:
    """What an intent's own writer gives."""

    sentences: Sequence[str]
    severity: Severity
    table: Table
    chart: Chart | None


def write(scope: Scope, result: RunResult, language: Language, phrases: Phrases, meant: Window | None) -> Answer:
    """Write the answer of a run that succeeded. `meant` is the period that was asked about, before any move.

    Raises Internal where the run lacks an output that its template promises.
    """
    data, code = result.data, result.code
    if data is None or code is None:
        raise Internal(f"run {result.run} gave no figures")
    given = [*(result.judgment.evidence if result.judgment else ()), *code.evidence]
    voice = Voice(language, phrases, scope, Quotes(language, phrases, given, data.sources))
    said = _say(voice, data, code, result.judgment)
    sentences = [*said.sentences, *_notes(voice, data, result.judgment, meant)]
    return Answer(
        text=join(sentences, language),
        language=language,
        severity=_severity(scope, said.severity),
        degraded=result.judgment.degraded if result.judgment else False,
        freshness=data.freshness,
        table=said.table,
        chart=said.chart,
        evidence=voice.quotes.evidence,
        actions=result.judgment.actions if result.judgment else (),
    )


def _say(voice: Voice, data: DataResult, code: CodeResult, judgment: JudgmentResult | None) -> _Said:
    scope = voice.scope
    match scope.template:
        case Intent.CHECK:
            figures = check.figures(voice, code)
            known = any(figure.value is not None for figure in figures)
            chart = _chart(voice, ChartType.KPI, "", [metric.id for metric in scope.metrics]) if known else None
            severity = code.severity if known else Severity.UNKNOWN
            return _Said(check.text(voice, data, figures), severity, data.table, chart)
        case Intent.TREND:
            lines = trend.series(voice, data)
            chart = _chart(voice, ChartType.LINE, "time", [scope.metric.id], *(each.value for each in scope.group_by))
            enough = any(len(points) >= _FEWEST_POINTS for points in lines.values())
            severity = code.severity if lines else Severity.UNKNOWN
            return _Said(trend.text(voice, data, severity), severity, data.table, chart if enough else None)
        case template:
            if judgment is None:
                raise Internal("a comparison came without a judgment")
            text = sides.rank(voice, judgment) if template is Intent.RANK else sides.compare(voice, judgment)
            known = any(item.value is not None for item in judgment.items)
            x = scope.group_by[0].value if scope.group_by else "window"
            chart = _chart(voice, ChartType.BAR, x, [scope.metric.id], *_series(scope)) if known else None
            severity = judgment.severity if known else Severity.UNKNOWN
            return _Said(text, severity, _judged_rows(scope, data.table, judgment), chart)


def _series(scope: Scope) -> list[str]:
    if len(scope.group_by) > 1:
        return [scope.group_by[1].value]
    return ["window"] if scope.group_by and len(scope.windows) > 1 else []


def _chart(voice: Voice, kind: ChartType, x: str, y: list[str], *series: str) -> Chart:
    metrics = voice.listed([voice.metric(metric) for metric in voice.scope.metrics])
    title = " · ".join(part for part in (metrics[:1].upper() + metrics[1:], voice.targets(voice.scope.targets)) if part)
    return Chart(kind, x, tuple(y), title, next(iter(series), ""))


def _judged_rows(scope: Scope, table: Table, judgment: JudgmentResult) -> Table:
    """Keep the rows that a ranking kept, in its order."""
    column = table.column(scope.group_by[0].value) if scope.group_by else None
    if scope.template is not Intent.RANK or column is None:
        return table
    places = {cell: row for row, cell in enumerate(column.cells)}
    kept = [places[item.target.id] for item in judgment.items if item.target and item.target.id in places]
    return table.rows(kept) if kept else table


def _severity(scope: Scope, severity: Severity) -> Severity:
    """Old data can show that something was wrong, never that all is well now."""
    return Severity.UNKNOWN if scope.moved and severity is Severity.NORMAL else severity


def _notes(voice: Voice, data: DataResult, judgment: JudgmentResult | None, meant: Window | None) -> list[str]:
    scope = voice.scope
    notes = []
    if scope.moved and meant is not None:
        notes.append(voice.say("note.moved", wanted=voice.period(meant)))
    elif scope.partial:
        notes.append(voice.say("note.partial", coverage=voice.times.span(scope.coverage)))
    freshness = data.freshness
    if freshness and freshness.stale and freshness.latest and not scope.moved and voice.going_on():
        moment = voice.times.moment(freshness.latest)
        notes.append(voice.say("note.stale", moment=moment))
    if scope.coarsened:
        notes.append(voice.say("note.coarsened", grain=voice.say(f"grain.{scope.grain.value}")))
    if scope.missing:
        notes.append(voice.say("note.missing", words=voice.listed(list(scope.missing))))
    if judgment and judgment.degraded:
        notes.append(voice.say("note.degraded"))
    return notes
