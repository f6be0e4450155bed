"""Which language an answer is in, and texts that exist in both."""

import re
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal["ko", "en"]

_HANGUL: Final = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")
_WORD: Final = re.compile(r"[A-Za-z]{2,}")
# "OEE?" or "L02" in a Korean conversation is still Korean; a whole English sentence is not.
_WORDS_THAT_SWITCH: Final = 3


@dataclass(frozen=True, slots=True)
class Localized:
    """A text in both languages of the product."""

    ko: str = ""
    en: str = ""

    def of(self, language: Language) -> str:
        """Return the text in `language`, or the other one where that is missing."""
        return (self.ko or self.en) if language == "ko" else (self.en or self.ko)


NO_TEXT: Final = Localized()


def choose(requested: str, utterance: str, remembered: str, preferred: str) -> Language:
    """Choose the language of the answer.

    What the caller requested wins, then what the utterance is written in; codes and single words leave the
    conversation in the language it had, and without one in the caller's.
    """
    if requested in {"ko", "en"}:
        return "ko" if requested == "ko" else "en"
    if _HANGUL.search(utterance):
        return "ko"
    words = len(_WORD.findall(utterance))
    known = remembered or preferred
    if words >= _WORDS_THAT_SWITCH or (words and not known):
        return "en"
    return "en" if known == "en" else "ko"
