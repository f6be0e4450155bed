"""The table of rules: which signals speak for which intent, and how loudly. `intents.signals` says what signals are.

Scores are in logits: 1 alone is 0.61 sure, 3 is 0.92 sure, and a lead of 2 over the next intent is 0.88 to 0.12.
"""

from dataclasses import dataclass

from services.router.domain.model import Intent


@dataclass(frozen=True, slots=True)
class Rule:
    """Where all signals of `when`, one of `any_of` (if given) and none of `unless` are there, `intent` gains."""

    name: str
    intent: Intent
    score: float
    when: frozenset[str]
    any_of: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()

    def fires(self, signals: frozenset[str]) -> bool:
        """Say whether it speaks."""
        return self.when <= signals and (not self.any_of or bool(self.any_of & signals)) and not self.unless & signals


def _rule(  # noqa: PLR0917 - a row of the table reads by its columns
    name: str, intent: Intent, score: float, when: str = "", any_of: str = "", unless: str = ""
) -> Rule:
    return Rule(name, intent, score, frozenset(when.split()), frozenset(any_of.split()), frozenset(unless.split()))


_I = Intent
_THING = "metric target dimension"
RULES: tuple[Rule, ...] = (
    # A chart, report or export asked for wins over what it shows.
    _rule("chart asked for", _I.REPORT, 8, "chart_word"),
    _rule("report asked for", _I.REPORT, 8, "report_word"),
    _rule("export asked for", _I.REPORT, 7.5, "export_word"),
    # Threshold + "tell me" is NOTIFY, and so is creating an alarm or a workflow.
    _rule("threshold and tell me", _I.NOTIFY, 7, "threshold", "alert", "outcome wondering filter"),
    _rule("threshold and show me", _I.NOTIFY, 6, "threshold clause look", unless="outcome wondering filter alert"),
    _rule("threshold in a clause", _I.NOTIFY, 4, "threshold clause", unless="outcome wondering alert look"),
    _rule("event and send", _I.NOTIFY, 5.5, "clause send", unless="outcome threshold wondering"),
    _rule(
        "event and tell me", _I.NOTIFY, 4.5, "clause tell", unless="outcome threshold wondering anomaly attention send"
    ),
    _rule("set up an alarm", _I.NOTIFY, 5.5, "notify_noun notify_verb", unless="clause"),
    _rule("regularly", _I.NOTIFY, 5.5, "regularly", "tell notify_verb channel"),
    _rule("regularly, to be shown", _I.NOTIFY, 2, "regularly look", unless="tell notify_verb channel trend series"),
    _rule("send it through", _I.NOTIFY, 5, "channel notify_verb", unless="clause regularly threshold notify_noun"),
    # Hypothetical + question is WHAT_IF.
    _rule("hypothesis and outcome", _I.WHAT_IF, 7, "hypothetical", "outcome wondering"),
    _rule("hypothesis", _I.WHAT_IF, 5, "hypothetical", unless="outcome wondering threshold alert"),
    _rule("event and outcome", _I.WHAT_IF, 6, "clause outcome", unless="hypothetical"),
    _rule("change and question", _I.WHAT_IF, 5.5, "clause", "change changing", "outcome hypothetical alert threshold"),
    _rule("event and wondering", _I.WHAT_IF, 4.5, "clause wondering", unless="outcome hypothetical change changing"),
    _rule(
        "event and amount",
        _I.WHAT_IF,
        3.5,
        "clause ask",
        unless="outcome hypothetical wondering change changing alert threshold anomaly",
    ),
    _rule("change and outcome", _I.WHAT_IF, 4.5, "change outcome", unless="clause hypothetical"),
    # Cause beats status.
    _rule("why", _I.FIND_CAUSE, 6.5, "why_plain"),
    _rule("reason asked for", _I.FIND_CAUSE, 6, "reason_noun", unless="why_plain ranked split_reason trend compare"),
    # Anything abnormal?
    _rule("anything abnormal", _I.DETECT_ANOMALY, 5, "anomaly"),
    _rule("everything all right", _I.DETECT_ANOMALY, 4, "attention", unless="anomaly clause metric_and_target"),
    _rule(
        "alarms to be seen",
        _I.DETECT_ANOMALY,
        3.5,
        "notify_noun",
        "look ask now state",
        "anomaly notify_verb clause threshold channel regularly",
    ),
    # Future + goal is PREDICT.
    _rule("forecast", _I.PREDICT, 5, "predict", unless="clause hypothetical"),
    _rule("forecast in a clause", _I.PREDICT, 2, "predict", "clause hypothetical"),
    _rule("goal within reach", _I.PREDICT, 4.5, "attain", "possible wondering", "clause hypothetical predict"),
    _rule("time ahead", _I.PREDICT, 4, "ahead", unless="predict clause hypothetical chart_word"),
    _rule("from now on", _I.PREDICT, 4, "future", _THING + " ask wondering", "predict clause hypothetical ahead"),
    _rule("wondering", _I.PREDICT, 3, "wondering", _THING, "predict clause hypothetical ahead attain compare"),
    _rule("on track", _I.PREDICT, 4, "on_track", unless="possible wondering predict ahead"),
    # Orderings.
    _rule("superlative", _I.RANK, 5, "superlative", _THING + " best worst desc asc which", "why_plain two_targets"),
    _rule("ordering", _I.RANK, 5, "rank", unless="superlative why_plain"),
    _rule(
        "which is more",
        _I.RANK,
        4,
        "dimension",
        "desc asc best worst",
        "superlative rank two_targets compare why_plain clause trend",
    ),
    _rule("so many of them", _I.RANK, 2.5, "top_n dimension", unless="superlative rank clause changing"),
    _rule(
        "who did most",
        _I.RANK,
        2.5,
        "which dimension metric",
        unless="superlative rank desc asc best worst target compare anomaly why_plain reason_noun filter",
    ),
    # Side by side.
    _rule("comparison", _I.COMPARE, 5.5, "compare", unless="between_only"),
    _rule("between two", _I.COMPARE, 5, "between_only two_sides"),
    _rule("one against another", _I.COMPARE, 4.5, "contrast", "target period metric", "compare target_word"),
    _rule("two sides", _I.COMPARE, 3.6, "two_sides", _THING, "compare contrast trend series why_plain clause"),
    _rule("two sides in it", _I.COMPARE, 1.0, "two_sides compare"),
    # Over time.
    _rule("course over time", _I.TREND, 4.5, "trend", unless="two_periods contrast"),
    _rule("course, two periods", _I.TREND, 3, "trend two_periods"),
    _rule("series", _I.TREND, 4, "series", _THING, "trend regularly compare"),
    _rule(
        "rising or falling",
        _I.TREND,
        3.2,
        "metric",
        "increase decrease",
        "trend why_plain clause change outcome reason_noun wondering compare contrast ranked notify_verb filter",
    ),
    # Present value or state.
    _rule("metric named", _I.CHECK, 2, "metric"),
    _rule("filter", _I.CHECK, 2, "metric filter"),
    _rule("thing named", _I.CHECK, 1.6, "target", unless="metric"),
    _rule("kind of thing named", _I.CHECK, 1, "dimension", "ask look tell state now running normal", "metric target"),
    _rule("running", _I.CHECK, 2, "running", _THING, "clause"),
    _rule("is it normal", _I.CHECK, 2, "normal", "metric target", "clause"),
    _rule("all right with one thing", _I.CHECK, 2.5, "attention metric_and_target"),
    _rule("asked for", _I.CHECK, 0.7, "", "ask look tell state now", "nothing"),
    _rule("state of the plant", _I.CHECK, 1.5, "state", "all period now", "metric target"),
    _rule("how is the plant", _I.CHECK, 1.5, "all ask", unless="metric target state"),
    # Too little to act on.
    _rule("nothing named", _I.CLARIFY, 2.6, "nothing"),
    _rule("a bare verb", _I.CLARIFY, 0.8, "nothing", "ask look tell normal deixis state now"),
    # Not the plant's business, or nothing that the engine does by word of mouth.
    _rule("out of scope", _I.SYSTEM, 5, "scope", unless="metric target"),
    _rule("about the assistant", _I.SYSTEM, 5.5, "help_word", unless="metric target"),
    _rule("what a word means", _I.SYSTEM, 5, "definition", unless="target period"),
    _rule("a command to a machine", _I.SYSTEM, 5, "command", unless="clause why_plain notify_verb"),
)
