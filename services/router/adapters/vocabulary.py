"""Reads the vocabulary files that ship with the package."""

from importlib import resources

import yaml

from services.router.domain.vocabulary import Vocabulary, vocabulary


def read_vocabulary() -> Vocabulary:
    """Return the Korean and English words of the product. Raises ValueError where a file is not as it should be."""
    folder = resources.files("services.router") / "lexicon"
    return vocabulary(yaml.safe_load((folder / name).read_text(encoding="utf-8")) for name in ("ko.yaml", "en.yaml"))
