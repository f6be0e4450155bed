"""From what was typed to what is read: one clean text, its language, and a map between the two."""

import re
import unicodedata
from dataclasses import dataclass

from services.errors import FieldViolation, Invalid

MAX_CHARACTERS = 500
KOREAN_SHARE = 0.25  # people who mix write Korean sentences around English nouns, hardly ever the other way round

_SPACES = re.compile(r"\s+")
_REPEATED = re.compile(r"([^\w\s])\1+")
_REPEATED_JAMO = re.compile(r"([ㄱ-ㅣ])\1+")  # ㅋㅋㅋㅋ, ㅠㅠ
_JAMO = re.compile(r"([ㄱ-ㅣ]+)")
_HANGUL = re.compile(r"[가-힣ㄱ-ㅣ]")
_LATIN = re.compile(r"[A-Za-z]")
# Cf: zero-width joiners, direction marks, soft hyphens. Cc: controls other than white space. Variation selectors (Mn)
# only colour an emoji.
_INVISIBLE = re.compile("[\ufe00-\ufe0f]")


@dataclass(frozen=True, slots=True)
class Utterance:
    """The normalised utterance. `lower` has the same length as `text`, so that offsets fit both."""

    text: str
    lower: str
    language: str


def normalise(raw: str, language: str = "") -> Utterance:
    """Return `raw` in NFKC without invisible characters, with spaces and repeated punctuation collapsed.

    `language` is what a text without letters is taken for. Raises Invalid where NFKC unfolds the text (one sign may
    become eighteen) beyond 500 characters.
    """
    # Compatibility jamo stay: NFKC would turn ㅋ into a conjoining sign that no keyboard types and no font shows well.
    folded = (part if i % 2 else unicodedata.normalize("NFKC", part) for i, part in enumerate(_JAMO.split(raw)))
    text = _INVISIBLE.sub("", "".join(folded))
    text = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in {"Cf", "Cc", "Cs", "Co", "Cn"})
    text = _SPACES.sub(" ", text).strip()
    text = _REPEATED_JAMO.sub(r"\1\1", _REPEATED.sub(r"\1", text))
    if len(text) > MAX_CHARACTERS:
        raise Invalid(
            "the utterance has more than 500 characters once its ligatures are written out",
            violations=(FieldViolation("utterance", "at most 500 characters", "string.max_len"),),
        )
    # A few capitals (as Turkish dotted I) grow when lowered; they stay as they are to keep offsets true.
    lower = "".join(low if len(low := c.lower()) == 1 else c for c in text)
    return Utterance(text, lower, language_of(text) or language or "ko")


def language_of(text: str) -> str:
    """Return `ko` or `en` by the share of Hangul among the letters, empty where there are none."""
    hangul = len(_HANGUL.findall(text))
    latin = len(_LATIN.findall(text))
    if hangul + latin == 0:
        return ""
    return "ko" if hangul / (hangul + latin) >= KOREAN_SHARE else "en"
