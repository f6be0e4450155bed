"""Questions back: which slots are missing, how to ask for them, and what could be answered."""

from collections.abc import Mapping, Sequence

from services.router.domain.evidence import Evidence
from services.router.domain.model import AskBack, Candidate, Intent, Option, Slot, Text
from services.router.domain.names import KIND_NAMES
from services.router.domain.slots import sides
from services.router.domain.targets import Found

_MOST_SLOTS = 2
_MOST_OPTIONS = 6

INTENT_NAMES: Mapping[Intent, Text] = {
    Intent.CHECK: Text("현재 값 확인", "Check a value"),
    Intent.TREND: Text("추이 보기", "See a trend"),
    Intent.COMPARE: Text("비교하기", "Compare"),
    Intent.RANK: Text("순위 보기", "See a ranking"),
    Intent.FIND_CAUSE: Text("원인 찾기", "Find the cause"),
    Intent.DETECT_ANOMALY: Text("이상 확인", "Look for anomalies"),
    Intent.PREDICT: Text("예측하기", "Forecast"),
    Intent.WHAT_IF: Text("가정해 보기", "Try a what-if"),
    Intent.REPORT: Text("보고서나 차트 만들기", "Make a report or chart"),
    Intent.NOTIFY: Text("알림 설정하기", "Set up an alert"),
    Intent.CONTINUE: Text("이어서 보기", "Go on"),
    Intent.STOP: Text("그만하기", "Stop"),
    Intent.SYSTEM: Text("도움말 보기", "Get help"),
}

# Asked for most, so offered first; what the plant has no data for is left out.
_METRICS: Mapping[str, Text] = {
    "production_qty": Text("생산량", "Production"),
    "defect_rate": Text("불량률", "Defect rate"),
    "oee": Text("OEE", "OEE"),
    "downtime": Text("다운타임", "Downtime"),
    "yield_rate": Text("수율", "Yield"),
    "availability": Text("가동률", "Availability"),
    "energy": Text("전력 사용량", "Energy use"),
    "batch_count": Text("배치 수", "Batches"),
    "co2": Text("탄소 배출량", "CO2 emissions"),
    "power_factor": Text("역률", "Power factor"),
}

_VAGUE = Text(
    "무엇이 궁금하신가요? 지표나 라인, 설비 이름을 말씀해 주세요.",
    "What would you like to know? Name a metric, a line or a machine.",
)
_NOTHING_TO_CONTINUE = Text(
    "이어 갈 이야기가 없어요. 무엇을 볼까요?", "There is nothing to go on with yet. What shall we look at?"
)
_METRIC_QUESTIONS: Mapping[Intent, Text] = {
    Intent.TREND: Text("어떤 지표의 추이를 볼까요?", "The trend of which metric?"),
    Intent.COMPARE: Text("어떤 지표로 비교할까요?", "Compare by which metric?"),
    Intent.RANK: Text("무엇을 기준으로 순위를 매길까요?", "Rank by which metric?"),
    Intent.FIND_CAUSE: Text("무엇의 원인을 찾아볼까요?", "The cause of what?"),
    Intent.PREDICT: Text("무엇을 예측할까요?", "What should be forecast?"),
}
_QUESTIONS: Mapping[tuple[Intent, str], Text] = {
    (Intent.COMPARE, "target"): Text("무엇과 무엇을 비교할까요?", "What should be compared with what?"),
    (Intent.NOTIFY, "condition"): Text("어떤 조건이 되면 알려 드릴까요?", "On which condition should I alert you?"),
    (Intent.WHAT_IF, "condition"): Text(
        "무엇이 어떻게 바뀐다고 가정할까요?", "What should we assume to change, and how?"
    ),
}
_ANY_METRIC = Text("어떤 지표를 볼까요?", "Which metric?")


def vague(evidence: Evidence, language: str) -> AskBack:
    """Return the question for an utterance that says too little."""
    return AskBack(_VAGUE.of(language), ("metric",), _metric_options(evidence))


def nothing_pending(evidence: Evidence, language: str) -> AskBack:
    """Return the question for "go on" where nothing went before."""
    return AskBack(_NOTHING_TO_CONTINUE.of(language), ("metric",), _metric_options(evidence))


def ambiguous(ranking: Sequence[Candidate], language: str) -> AskBack:
    """Return the question which of the best two is meant."""
    best = [c.intent for c in ranking if c.intent in INTENT_NAMES][:2]
    options = tuple(Option(intent.value, INTENT_NAMES[intent]) for intent in best)
    first, second = (option.label.of(language) for option in options)
    question = Text(f"어느 쪽을 원하세요? ‘{first}’, ‘{second}’", f"Which do you mean: {first}, or {second}?")
    return AskBack(question.of(language), (), options)


def missing(evidence: Evidence, intent: Intent, slots: Sequence[Slot], language: str) -> AskBack | None:
    """Return the question for what the intent cannot do without, None where nothing is missing."""
    unknown = [target for target in evidence.targets if not target.known]
    names = _missing_names(intent, slots, evidence)
    if unknown:
        names = ["target", *(name for name in names if name != "target")]
    names = names[:_MOST_SLOTS]
    if not names:
        return None
    questions: list[str] = []
    options: tuple[Option, ...] = ()
    for name in names:
        question, choices = _ask(evidence, intent, name, unknown, slots, language)
        questions.append(question)
        options = options or choices
    return AskBack(" ".join(questions), tuple(names), options, intent)


def _missing_names(intent: Intent, slots: Sequence[Slot], evidence: Evidence) -> list[str]:
    have = {slot.name for slot in slots}
    needs_something = {
        Intent.CHECK: {"metric", "target", "group_by"},
        Intent.TREND: {"metric", "target"},
        Intent.PREDICT: {"metric", "target"},
        Intent.FIND_CAUSE: {"metric", "target", "condition"},
        Intent.RANK: {"metric"},
        Intent.NOTIFY: {"condition", "schedule"},
        Intent.WHAT_IF: {"condition"},
    }
    if intent is Intent.COMPARE:
        return ["target"] if sides(slots) < _MOST_SLOTS else []
    if intent is Intent.CHECK and ("state" in evidence.cues or {"all", "ask"} <= evidence.cues):
        return []  # the state of the plant is an overview
    wanted = needs_something.get(intent)
    if wanted is None or wanted & have:
        return []
    return ["condition"] if "condition" in wanted and "metric" not in wanted else ["metric"]


def _ask(  # noqa: PLR0917 - what is known of the turn
    evidence: Evidence, intent: Intent, name: str, unknown: Sequence[Found], slots: Sequence[Slot], language: str
) -> tuple[str, tuple[Option, ...]]:
    if name == "target" and unknown:
        said = evidence.said(unknown[0].start, unknown[0].end)[0]
        kind = KIND_NAMES[unknown[0].kind]
        question = Text(
            f"‘{said}’에 해당하는 {kind.ko}은(는) 이 공장에 없어요. 어떤 {kind.ko}을(를) 볼까요?".replace(
                f"{kind.ko}은(는)", kind.ko + _particle(kind.ko, "은", "는")
            ).replace(f"{kind.ko}을(를)", kind.ko + _particle(kind.ko, "을", "를")),
            f"This plant has no {kind.en} called “{said}”. Which {kind.en} do you mean?",
        )
        return question.of(language), _target_options(evidence, unknown[0].kind, slots)
    if name == "target":
        kinds = [slot.value.partition(":")[0] for slot in slots if slot.name == "target"]
        kind_id = kinds[0] if kinds else "line"
        return _QUESTIONS[Intent.COMPARE, "target"].of(language), _target_options(evidence, kind_id, slots)
    if name == "metric":
        return _METRIC_QUESTIONS.get(intent, _ANY_METRIC).of(language), _metric_options(evidence)
    return _QUESTIONS[intent, name].of(language), ()


def _particle(word: str, closed: str, opened: str) -> str:
    """Return the particle that fits the last syllable: `closed` after a consonant."""
    return closed if (ord(word[-1]) - 0xAC00) % 28 else opened


def _metric_options(evidence: Evidence) -> tuple[Option, ...]:
    catalogue = evidence.lexicon.catalogue
    if not catalogue.known:
        return tuple(Option(name, label) for name, label in list(_METRICS.items())[:_MOST_OPTIONS])
    plant = {metric.id: metric.display for metric in catalogue.metrics}
    ordered = [name for name in _METRICS if name in plant] + [name for name in plant if name not in _METRICS]
    return tuple(Option(name, plant[name]) for name in ordered[:_MOST_OPTIONS])


def _target_options(evidence: Evidence, kind: str, slots: Sequence[Slot]) -> tuple[Option, ...]:
    said = {slot.value for slot in slots}
    entries = [e for e in evidence.lexicon.names.of_kind(kind) if e.name not in said]
    return tuple(Option(entry.name, entry.display) for entry in entries[:_MOST_OPTIONS])
