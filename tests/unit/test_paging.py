import pytest

from services.errors import Invalid, Reason
from services.paging import decode_token, encode_token


def test_a_token_gives_back_what_it_was_made_of() -> None:
    token = encode_token("plants", "sample")
    assert "sample" not in token
    assert decode_token("plants", token) == "sample"


def test_the_end_has_no_token_and_the_beginning_needs_none() -> None:
    assert encode_token("plants", "") == ""
    assert decode_token("plants", "") == ""


@pytest.mark.parametrize(
    ("query", "token"),
    [
        ("imports", encode_token("plants", "sample")),
        ("plants", "sample"),
        ("plants", encode_token("plants", "sample")[:-2]),
        ("plants", "한글"),
        ("plants", "="),
        ("plants", "\x00"),
        ("plants", encode_token("plants", "sam\x00ple")),
    ],
)
def test_a_token_is_good_for_its_own_query_only(query: str, token: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_token(query, token)
    assert refused.value.reason is Reason.INVALID_PAGE_TOKEN
    assert refused.value.violations[0].field == "page_token"
