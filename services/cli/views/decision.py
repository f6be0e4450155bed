"""A decision for people: the answer first, then its figures, picture, evidence, proposals and question back."""

from collections.abc import Iterator

from factoryai.orchestrator.v1 import decision_pb2
from factoryai.router.v1 import intent_pb2
from factoryai.type.v1 import evidence_pb2, value_pb2
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services.cli.views import chart as chart_view
from services.cli.views import table as table_view
from services.cli.views.text import plain
from services.cli.words import Words
from services.wording import Language, format_value

_SEVERITY_STYLES = {
    value_pb2.SEVERITY_NORMAL: "green",
    value_pb2.SEVERITY_WARNING: "yellow",
    value_pb2.SEVERITY_CRITICAL: "bold red",
    value_pb2.SEVERITY_UNKNOWN: "magenta",
}


def render(decision: decision_pb2.Decision, words: Words, *, with_evidence: bool) -> Iterator[RenderableType]:
    """Yield the answer of an ended decision part by part, the words first.

    Everything about it is told in the answer's own language, whatever that of the screen.
    """
    words = words.spoken_in(decision.answer.language)
    answer = decision.answer
    headline = Text(plain(answer.text))
    severity = severity_badge(answer.severity, words)
    yield Text.assemble(severity, " ", headline) if severity else headline
    for notice in _notices(decision, words):
        yield Text(notice, style="dim")
    if answer.table.row_count:
        table = with_named_windows(decision, words.language)
        yield Padding(table_view.render(table, words.language), (1, 0, 0, 0), expand=False)
        if answer.table.truncated:
            yield Text(words("answer.truncated"), style="dim")
        picture = chart_view.render(answer.chart, table, words.language)
        if picture is not None:
            title = Text(plain(answer.chart.title), style="bold")
            yield Padding(Group(title, picture) if answer.chart.title else picture, (1, 0, 0, 0), expand=False)
    if answer.actions:
        yield Padding(Text(words("answer.actions"), style="bold"), (1, 0, 0, 0), expand=False)
        for action in answer.actions:
            yield Text(f"• {table_view.localized(action.description, words.language) or plain(action.type)}")
    if with_evidence and answer.evidence:
        yield Padding(Text(words("answer.evidence"), style="bold"), (1, 0, 0, 0), expand=False)
        yield evidence(list(answer.evidence), words)
    if answer.HasField("ask_back"):
        yield from ask_back(answer.ask_back, words)


def _notices(decision: decision_pb2.Decision, words: Words) -> Iterator[str]:
    answer = decision.answer
    if answer.degraded:
        yield words("answer.degraded")
    if answer.freshness.stale:
        latest = table_view.instant(answer.freshness.latest_data_time)
        yield words("answer.stale", latest=latest or table_view.NOTHING)
    if decision.state == decision_pb2.DECISION_STATE_RUNNING:
        yield words("answer.running", decision=decision.name)


def with_named_windows(decision: decision_pb2.Decision, language: Language) -> value_pb2.Table:
    """Return the answer's table with periods in place of their indexes, where the plan knows them.

    A query of several periods numbers them in a `window` column; the DATA node of the plan has them in that order.
    """
    table = value_pb2.Table()
    table.CopyFrom(decision.answer.table)
    for column in table.columns:
        if column.id != "window" or column.type != value_pb2.COLUMN_TYPE_NUMBER:
            continue
        wanted = [int(number) for number in column.numbers]
        for node in decision.plan.definition.nodes:
            windows = node.data.query.windows
            if wanted and max(wanted) < len(windows):
                column.type = value_pb2.COLUMN_TYPE_TEXT
                column.texts.extend(table_view.period(windows[index], language) for index in wanted)
                break
    return table


def severity_badge(severity: "value_pb2.Severity.ValueType", words: Words) -> Text | None:
    """Return the severity as a coloured word, None where nothing was judged."""
    style = _SEVERITY_STYLES.get(severity)
    name = value_pb2.Severity.Name(severity) if style else ""
    return Text(words(f"severity.{name.removeprefix('SEVERITY_')}"), style=style or "") if style else None


def ask_back(question: intent_pb2.AskBack, words: Words) -> Iterator[RenderableType]:
    """Yield the options of a question back, numbered from 1; the question itself is the answer's text."""
    for number, option in enumerate(question.options, start=1):
        label = table_view.localized(option.label, words.language) or plain(option.value)
        yield Text(f"  {number}. {label}")


def evidence(pieces: list[evidence_pb2.Evidence], words: Words) -> Table:
    """Return the evidence as a table, one row a piece."""
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in ("id", "what", "target", "period", "value", "source", "rows"):
        view.add_column(words(f"evidence.{key}"), justify="right" if key in {"value", "rows"} else "left")
    for piece in pieces:
        view.add_row(*(Text(cell) for cell in _evidence_cells(piece, words)))
    return view


def _evidence_cells(piece: evidence_pb2.Evidence, words: Words) -> tuple[str, ...]:
    language = words.language
    targets = [table_view.localized(target.display_name, language) or plain(target.name) for target in piece.targets]
    value = format_value(piece.value, piece.unit, language) if piece.HasField("value") else table_view.NOTHING
    if piece.HasField("threshold"):
        value += f" / {format_value(piece.threshold, piece.unit, language)}"
    return (
        plain(piece.id),
        table_view.localized(piece.description, language) or plain(piece.metric or piece.rule),
        ", ".join(targets) or table_view.NOTHING,
        table_view.period(piece.window, language),
        value,
        plain(piece.source),
        f"{piece.row_count:,}" if piece.row_count else "",
    )
