"""What an utterance signals, and the ranking of intents by the rules that listen. Softmax makes scores confidence."""

import math
import re

from services.router.domain.evidence import Evidence
from services.router.domain.model import INTENTS, Candidate
from services.router.domain.rules import RULES

# An intent for which nothing speaks. Against thirteen of these a lone score of 1 is 0.61 sure, one of 3 is 0.92 sure.
_SILENT = -2.0
_BROUGHT_ABOUT = re.compile(r"caus(?:ed?|es|ing)|responsible for|le(?:d|ad) to|behind|to blame")
_COMMAND = re.compile(r"(?:please )?(?:stop|halt|start|pause|restart) (?:the )?(?:line|machine|conveyor|press)\b")


def signals(evidence: Evidence) -> frozenset[str]:
    """Return the names of everything that the rules may listen to."""
    found = set(evidence.cues)
    grouping = evidence.group_by
    kinds = [t.kind for t in evidence.targets]
    checks = {
        "metric": bool(evidence.metrics),
        "target": bool(evidence.targets),
        "metric_and_target": bool(evidence.metrics and evidence.targets),
        "period": bool(evidence.periods),
        "dimension": any(m.kind == "dimension" for m in evidence.mentions),
        "group_by": grouping is not None,
        "split_reason": grouping is not None and grouping.value == "reason",
        "two_targets": any(kinds.count(kind) > 1 for kind in kinds),
        "two_periods": len(evidence.periods) > 1,
        "threshold": any(c.threshold for c in evidence.conditions),
        "change": any(c.condition.relative for c in evidence.conditions),
        "clause": evidence.clause is not None,
        "top_n": evidence.top_n is not None,
        "wondering": evidence.wondering,
        "ahead": evidence.ahead,
        "why_plain": _why_plain(evidence),
        "series": bool(evidence.of("grain")) or (evidence.weekly is not None and "trend" in evidence.cues),
        "on_track": "attain" in evidence.cues and any(w in evidence.reading.text for w in ("on track", "on schedule")),
        "chart_word": "chart_word" in evidence.cues or bool(evidence.of("chart")),
        "regularly": "regularly" in evidence.cues or _regular(evidence),
        "filter": evidence.filtered is not None,
        "command": ("control" in evidence.cues and bool(evidence.targets or evidence.of("dimension")))
        or bool(_COMMAND.match(evidence.reading.text)),
        "between_only": _only(evidence, "compare", "between"),
    }
    found |= {name for name, is_so in checks.items() if is_so}
    if {"two_targets", "two_periods"} & found:
        found.add("two_sides")
    if {"notify_verb", "channel", "notify_noun"} & found:
        found.add("send")
    if {"send", "tell"} & found:
        found.add("alert")
    if {"rank", "superlative", "top_n"} & found:
        found.add("ranked")
    if found & {"regularly"} and "report" in {m.kind for m in evidence.mentions} and not evidence.clause:
        found.discard("series")
    content = {"metric", "target", "dimension", "threshold", "change", "clause"}
    if (
        not content & found
        and not (found & {"running", "anomaly", "attention"})
        and not ("state" in found and ({"all", "period"} & found))
        and not {"all", "ask"} <= found
    ):
        found.add("nothing")
    return frozenset(found)


def _why_plain(evidence: Evidence) -> bool:
    nouns = {(m.start, m.end) for m in evidence.mentions if m.kind == "cue" and m.value == "reason_noun"}
    whys = [m for m in evidence.mentions if m.kind == "cue" and m.value == "why" and (m.start, m.end) not in nouns]
    if "which" in evidence.cues and evidence.group_by is not None:
        # "Which operator caused most downtime?" asks who, not why.
        whys = [m for m in whys if not _BROUGHT_ABOUT.fullmatch(evidence.reading.text[m.start : m.end])]
    return bool(whys)


def _regular(evidence: Evidence) -> bool:
    """Say whether a schedule is named by words that cannot mean a grain: "매일 아침", not "daily"."""
    grains = {(m.start, m.end) for m in evidence.mentions if m.kind == "grain"}
    return any(m.kind == "schedule" and (m.start, m.end) not in grains for m in evidence.mentions)


def _only(evidence: Evidence, cue: str, word: str) -> bool:
    found = [m for m in evidence.mentions if m.kind == "cue" and m.value == cue]
    return bool(found) and all(evidence.reading.text[m.start : m.end] == word for m in found)


def rank(found: frozenset[str]) -> tuple[list[Candidate], list[str]]:
    """Return all fourteen intents, surest first, and the names of the rules that spoke."""
    scores = dict.fromkeys(INTENTS, _SILENT)
    spoke: list[str] = []
    for rule in RULES:
        if rule.fires(found):
            scores[rule.intent] = max(scores[rule.intent], 0.0) + rule.score
            spoke.append(f"{rule.intent.value}: {rule.name}")
    top = max(scores.values())
    weights = {intent: math.exp(score - top) for intent, score in scores.items()}
    total = sum(weights.values())
    ranked = sorted(INTENTS, key=lambda intent: -weights[intent])
    return [Candidate(intent, round(weights[intent] / total, 4)) for intent in ranked], spoke


def alone(score: float) -> float:
    """Return how sure an intent with this score is when nothing else speaks."""
    weight = math.exp(score)
    return round(weight / (weight + (len(INTENTS) - 1) * math.exp(_SILENT)), 4)
