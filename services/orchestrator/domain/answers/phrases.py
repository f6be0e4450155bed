"""The sentences of answers: data in both languages, filled with words that know their Korean particles."""

import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self, cast

from services.orchestrator.domain.language import Language
from services.wording import Particles, josa


class Word(str):
    """A word in a sentence: `{metric:은/는}` gives it the Korean particle that fits."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return josa(str(self), cast("Particles", spec)) if spec else str(self)


@dataclass(frozen=True)
class Phrases:
    """Sentences by key, each in both languages."""

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, documents: Iterable[object]) -> Self:
        """Read parsed YAML documents: `key: {ko: ..., en: ...}`.

        Raises ValueError for a key that is there twice, lacks a language, or uses other words in one of the two.
        """
        found: dict[str, Mapping[str, str]] = {}
        for document in documents:
            if not isinstance(document, dict):
                raise ValueError("phrases are a mapping")  # noqa: TRY004 - the file is wrong, not our call
            for key, texts in document.items():
                if key in found or not isinstance(texts, dict) or set(texts) != {"ko", "en"}:
                    raise ValueError(f"phrase {key} stands twice, or not in both languages")
                found[key] = texts
        return cls(found)

    def say(self, key: str, language: Language, **words: str) -> str:
        """Fill the sentence of that key."""
        return self.texts[key][language].format(**{name: Word(word) for name, word in words.items()})

    def known(self, key: str) -> bool:
        """Say whether there is such a sentence."""
        return key in self.texts


def join(sentences: Iterable[str], language: Language) -> str:
    """Put sentences in a row, English ones with a capital letter; empty ones fall out."""
    told = [sentence for sentence in sentences if sentence]
    return " ".join(told if language == "ko" else [sentence[:1].upper() + sentence[1:] for sentence in told])


def mid_sentence(name: str, language: Language) -> str:
    """Write a heading as it stands inside a sentence: `Defect rate` is `defect rate`, `OEE` stays."""
    first = name.partition(" ")[0]
    if language == "ko" or any(letter.isupper() or letter.isdigit() for letter in first[1:]):
        return name
    return name[:1].lower() + name[1:]


def names_in(text: str) -> set[str]:
    """Return the names of the words that a sentence is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
