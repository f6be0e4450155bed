"""Every text that the command line shows, in Korean and English: data in words.yaml, looked up by key."""

import itertools
from collections.abc import Mapping, Sequence
from importlib import resources

import yaml

from services.wording import Language

LANGUAGES: tuple[Language, ...] = ("ko", "en")


class Words:
    """The texts in one language. `words("down.stopped", home=...)` fills in the placeholders."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._texts = {key: texts[language] for key, texts in catalogue().items()}

    def __call__(self, key: str, **values: object) -> str:
        """Return a text. Raises KeyError for a key that the catalogue lacks: a bug, which a test finds."""
        return self._texts[key].format(**values)

    def spoken_in(self, language: str) -> "Words":
        """Return the texts in another language; these where the language is none of ours."""
        return self if language == self.language or language not in LANGUAGES else Words(language)

    def get(self, key: str) -> str | None:
        """Return a text that takes no values, or None: for what servers may send before we have a word for it."""
        return self._texts.get(key)


def catalogue() -> Mapping[str, Mapping[str, str]]:
    """Return the whole catalogue: dotted key -> language -> text."""
    text = resources.files("services.cli").joinpath("words.yaml").read_text(encoding="utf-8")
    flat: dict[str, Mapping[str, str]] = {}
    _flatten("", yaml.load(text, Loader=yaml.CSafeLoader), flat)
    return flat


def _flatten(prefix: str, node: Mapping[str, object], flat: dict[str, Mapping[str, str]]) -> None:
    if set(node) & set(LANGUAGES):
        flat[prefix] = {language: str(text) for language, text in node.items()}
        return
    for key, child in node.items():
        if not isinstance(child, Mapping):
            raise TypeError(f"words.yaml: {prefix}.{key} is neither a group nor a text in two languages")
        _flatten(f"{prefix}.{key}" if prefix else str(key), child, flat)


def choose_language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language to speak: `--lang`, FACTORYAI_LANG, then the locale of the shell; English otherwise.

    Looked up before the command line is parsed, because help and usage errors have to be in it too.
    """
    stated = [second for first, second in itertools.pairwise(arguments) if first == "--lang"]
    stated += [word.removeprefix("--lang=") for word in arguments if word.startswith("--lang=")]
    locale = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    for wish in (*stated, environment.get("FACTORYAI_LANG", ""), locale):
        if wish:
            return "ko" if wish.lower().startswith("ko") else "en"
    return "en"
