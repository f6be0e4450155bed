"""One clean text, and a map back to what was typed."""

import pytest

from services.errors import Invalid
from services.router.domain.normalise import language_of, normalise
from services.router.domain.spelling import speller


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  3라인   불량률 \n 얼마야 ", "3라인 불량률 얼마야"),
        ("불량\u200b률", "불량률"),
        ("３라인 ＯＥＥ", "3라인 OEE"),
        ("왜???!!!", "왜?!"),
        ("ㅋㅋㅋㅋㅋ", "ㅋㅋ"),
        ("\u1107\u116e\u11af량", "불량"),
        ("😀\ufe0f", "😀"),
        ("a\x00b", "ab"),
        ("", ""),
    ],
)
def test_what_was_typed_is_tidied(raw: str, text: str) -> None:
    assert normalise(raw).text == text


def test_capitals_that_grow_keep_the_offsets() -> None:
    said = normalise("İstanbul LINE 3")
    assert len(said.lower) == len(said.text)


@pytest.mark.parametrize(
    ("text", "language"),
    [("3라인 OEE", "ko"), ("What is the defect rate of 3라인?", "en"), ("OEE", "en"), ("123 ?!", ""), ("ㅇㅇ", "ko")],
)
def test_the_language_is_that_of_most_letters(text: str, language: str) -> None:
    assert language_of(text) == language


def test_no_letters_speak_the_callers_language() -> None:
    assert normalise("???", "en").language == "en"
    assert normalise("???").language == "ko"


def test_a_text_that_unfolds_too_far_is_refused() -> None:
    with pytest.raises(Invalid):
        normalise("ﷺ" * 28)


SPELLER = speller({"불양률": "불량률"}, ["defect", "production", "downtime", "yield"], ["detect", "about"])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("defct rate", "defect rate"),
        ("prodution", "production"),
        ("donwtime", "downtime"),
        ("detect", "detect"),  # a word of its own
        ("defects", "defects"),
        ("yeild?", "yield?"),
        ("xyzzy", "xyzzy"),
        ("1라인 불양률", "1라인 불량률"),
    ],
)
def test_single_slips_are_mended(typed: str, read: str) -> None:
    assert SPELLER.read(typed).text == read


def test_a_mended_word_still_points_at_what_was_typed() -> None:
    reading = SPELLER.read("the defct rate")
    start = reading.text.index("defect")
    assert reading.span(start, start + len("defect")) == (4, 9)
    assert reading.span(0, len(reading.text)) == (0, 14)
