"""Numbers as people say them: 3, 세, 삼, three, 일주일, a couple of."""

import re
from collections.abc import Mapping

_COUNTED = (
    "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열",
    "하나 둘 셋 넷",
    "일 이 삼 사 오 육 칠 팔 구 십",
    "one two three four five six seven eight nine ten eleven twelve",
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th",
)
_OTHERS = {"석": 3, "서": 3, "넉": 4, "a": 1, "an": 1, "couple of": 2, "a couple of": 2, "few": 3, "a few": 3}
_TENS = {"fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90}
WORDS: Mapping[str, int] = {
    **{word: i for row in _COUNTED for i, word in enumerate(row.split(), 1)},
    **_OTHERS,
    **_TENS,
}

SINO = r"(?:[일이삼사오육칠팔구]|십[일이]?)"
NATIVE = r"(?:한|두|세|석|서|네|넉|다섯|여섯|일곱|여덟|아홉|열)"
ENGLISH = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
ENGLISH_MORE = r"(?:a couple of|couple of|a few|few|fourteen|fifteen|twenty|thirty|sixty|ninety|an?|" + ENGLISH[3:]
# After a number that names something: no counter, which would make it an amount ("설비 3개", "제품 5위").
UNCOUNTED = re.compile(
    r"(?!\d|\.\d|/| ?(?:개|대|종|건|%|퍼|시간|일(?!라인)|주(?!간|조)|월|분|위|가지|명|곳|달|년|군데|배|초"
    r"|도(?![^가-힣]|$)))"
)


def to_int(said: str) -> int:
    """Return the whole number that a word or digits stand for. Raises KeyError for anything else."""
    said = said.strip()
    if said.isdecimal():
        return int(said)
    if said.startswith("십") and len(said) == 2:  # noqa: PLR2004 - 십일, 십이
        return 10 + WORDS[said[1]]
    return WORDS[said]


def to_float(said: str) -> float:
    """Return the decimal number written as `1,234.5`."""
    return float(said.replace(",", ""))
