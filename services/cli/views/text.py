"""Text of others on our terminal."""

import unicodedata

_KEPT = frozenset("\n\t")


def plain(text: str) -> str:
    """Return `text` without control and direction characters, which could move the cursor or fake a line."""
    return "".join(
        mark if mark in _KEPT or unicodedata.category(mark) not in {"Cc", "Cf", "Cs"} or mark == "\u200d" else "�"
        for mark in text
    )
