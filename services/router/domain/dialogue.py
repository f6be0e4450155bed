"""Moves in a conversation: yes, no, stop, greetings, follow-ups, and answers to a question that was asked back."""

import re
from collections.abc import Sequence

from services.router.domain.evidence import Evidence
from services.router.domain.lexicon import PARTICLES, Lexicon, squeeze
from services.router.domain.model import CONVERSATION, AskBack, Dialogue, Intent, Option, Slot
from services.router.domain.numbers import to_int

_NOISE = re.compile(r"[^\w\s'가-힣ㄱ-ㅣ]")
_MAX_LENGTH = 60  # nobody greets for longer
_LONGEST_PHRASE = 32
_ORDINAL = re.compile(
    r"^(?:(?P<n>\d{1,2})(?: ?번(?:째)?)?|(?P<ko>첫|두|세|네|다섯) ?번째|(?:the )?(?:option "
    r"|number )?(?P<en>first|second|third|fourth|fifth|one|two|three|four|1st|2nd|3rd)(?: one"
    r"| option)?)"
    r"(?: ?(?:거|것|걸로|으로|로|요|이요|please))*$"
)
_FOLLOW_START = re.compile(
    r"^(?:그럼|그러면|그렇다면|이번엔|이번에는|그리고|and\b|what about|how about|then\b|but\b|now\b"
    r"|ok(?:ay)? and|also\b|same\b)"
)
_TOPIC_END = re.compile(r"(?:은|는|은요|는요|도|도요|로는|에는|별로는|별로|쪽은)\s*\??$")
_VERBS = frozenset({"look", "tell", "notify_verb", "state"})
_FOLLOWABLE = frozenset({Intent.CHECK, Intent.CLARIFY, Intent.COMPARE, Intent.RANK, Intent.TREND})


def acts(said: str, lexicon: Lexicon) -> frozenset[str]:
    """Return what a reading does, where it consists of nothing but set phrases; else nothing.

    "고마워 그만" thanks and stops; "2라인 그만" does neither.
    """
    text = " ".join(_NOISE.sub(" ", said).split())
    if not text or len(text) > _MAX_LENGTH:
        return frozenset()
    squeezed, at = squeeze(text)
    # Fewest phrases that cover everything up to each position.
    covers: list[tuple[int, frozenset[str]] | None] = [(0, frozenset()), *([None] * len(squeezed))]
    for start in range(len(squeezed)):
        here = covers[start]
        if here is None or not _edge(at, squeezed, start):
            continue
        for end in range(start + 1, min(start + _LONGEST_PHRASE, len(squeezed)) + 1):
            meaning = lexicon.phrases.get(squeezed[start:end])
            if meaning is None or not _edge(at, squeezed, end):
                continue
            if end - start == 1 and squeezed[start] != "요" and not _alone(text, at[start]):
                continue
            pieces, before = here
            reached = covers[end]
            if reached is None or pieces + 1 < reached[0]:
                covers[end] = (pieces + 1, before | (meaning - {"filler"} or meaning))
    whole = covers[-1]
    return (whole[1] - {"filler"}) if whole else frozenset()


def _edge(at: Sequence[int], squeezed: str, position: int) -> bool:
    """Say whether a phrase may begin or end here: anywhere in Korean, between words in English."""
    if position in {0, len(squeezed)}:
        return True
    before, after = squeezed[position - 1], squeezed[position]
    return at[position] - at[position - 1] > 1 or not (before.isascii() and after.isascii())


def _alone(text: str, start: int) -> bool:
    before = text[start - 1 : start] if start else ""
    return not before.strip() and not text[start + 1 : start + 2].strip()


# What decides, in this order: who thanks and stops, stops. "Yes, thanks" thanks.
_MOVES: tuple[tuple[frozenset[str], Intent], ...] = (
    (frozenset({"stop", "no"}), Intent.STOP),
    (frozenset({"help", "identity", "scope"}), Intent.SYSTEM),
    (frozenset({"more"}), Intent.CONTINUE),
    (frozenset({"thanks", "bye"}), Intent.SYSTEM),
    (frozenset({"yes"}), Intent.CONTINUE),
    (frozenset({"greeting"}), Intent.SYSTEM),
)


def move(found: frozenset[str]) -> Intent:
    """Return the intent of an utterance made of set phrases only, NONE where they do not decide."""
    return next((intent for deciding, intent in _MOVES if deciding & found), Intent.NONE)


def scope_signals(evidence: Evidence) -> frozenset[str]:
    """Return `scope` or `help_word` where a phrase outside of the plant's business, or one for help, occurs."""
    if evidence.metrics or evidence.targets:
        return frozenset()
    text = evidence.reading.text
    squeezed, at = squeeze(text)
    found: set[str] = set()
    ends = {m.end for m in evidence.mentions} | {p.end for p in evidence.periods}
    for start in range(len(squeezed)):
        if not (_begins(text, at[start]) or at[start] in ends):
            continue
        for end in range(start + 2, min(start + _LONGEST_PHRASE, len(squeezed)) + 1):
            meaning = evidence.lexicon.phrases.get(squeezed[start:end], frozenset())
            if meaning & {"scope", "help", "identity"} and _edge(at, squeezed, end):
                found.add("scope" if "scope" in meaning else "help_word")
    return frozenset(found)


def _begins(text: str, start: int) -> bool:
    return start == 0 or not text[start - 1].isalnum()


def has_history(dialogue: Dialogue) -> bool:
    """Say whether something was answered that a follow-up can lean on."""
    return bool(dialogue.last_intent) and dialogue.last_intent not in CONVERSATION


_NEW_QUESTION_LIST = "trend compare rank superlative contrast clause threshold change increase decrease two_sides"
_NEW_QUESTION = frozenset(_NEW_QUESTION_LIST.split())
_ORDERING = frozenset({"top_n", "superlative", "rank", "desc", "asc"})
_NO_ORDERING = frozenset({"metric", "dimension", "target", "compare", "why_plain", "clause"})
_STATES = frozenset({"running", "normal", "why_plain", "anomaly"})


def is_follow_up(evidence: Evidence, best: Intent, found: frozenset[str], last: Intent) -> bool:
    """Say whether an utterance only makes sense with what went before: "2라인은?", "그럼 지난주는?", "and line 2?"."""
    if last is Intent.RANK and found & _ORDERING and not found & _NO_ORDERING:
        return True  # "5개만", "제일 낮은 건?"
    names_something = evidence.metrics or evidence.targets or evidence.periods or evidence.group_by
    asks_anew = found & _NEW_QUESTION or (found & _VERBS and not evidence.group_by)
    if best not in _FOLLOWABLE or not names_something or asks_anew:
        return False
    text = evidence.reading.text.strip(" ?!.~")
    if _FOLLOW_START.search(text):
        return True
    if evidence.metrics and (evidence.targets or evidence.group_by):
        return False  # a whole question
    if evidence.metrics and evidence.periods:
        return bool(_TOPIC_END.search(text))
    return "ask" not in found if evidence.metrics else not found & _STATES


def chosen(evidence: Evidence, pending: AskBack) -> Option | None:
    """Return the option that the utterance picks: by number, by name or by value."""
    text = evidence.reading.text.strip(" .!?~")
    ordinal = _ORDINAL.match(text)
    if ordinal:
        word = ordinal["n"] or ordinal["ko"] or ordinal["en"]
        index = 1 if word == "첫" else to_int(word)
        bare = "metric" not in pending.missing or bool(pending.options)
        if bare and 1 <= index <= len(pending.options):
            return pending.options[index - 1]
    said = _bare(text)
    for option in pending.options:
        if said in {_bare(option.value), _bare(option.label.ko), _bare(option.label.en)}:
            return option
    return None


def _bare(text: str) -> str:
    squeezed = squeeze(text.lower())[0].replace(" ", "").removesuffix("please")
    for particle in sorted(PARTICLES, key=len, reverse=True):
        if len(squeezed) > len(particle) + 1 and squeezed.endswith(particle) and "가" <= squeezed[-1] <= "힣":
            return squeezed.removesuffix(particle)
    return squeezed


def answers(evidence: Evidence, pending: AskBack, new: Sequence[Slot], best: Intent, found: frozenset[str]) -> bool:
    """Say whether the utterance fills what was asked for, and is no new question of its own."""
    names = {slot.name for slot in new}
    wanted = set(pending.missing)
    if "target" in wanted:
        wanted |= {"period", "group_by"}
    if not wanted & names:
        return False
    own = best not in {Intent.CHECK, Intent.CLARIFY, pending.intent, Intent.NONE}
    if own and best is Intent.WHAT_IF and pending.intent is Intent.NOTIFY:
        own = False
    if own and best is Intent.NOTIFY and pending.intent is Intent.WHAT_IF:
        own = False
    # A whole question with its own metric, thing or time and a verb of asking starts afresh.
    fresh = bool(found & {"ask", "tell", "look"} and evidence.metrics and (evidence.targets or evidence.periods))
    return not own and not (fresh and pending.intent is not Intent.CHECK)
