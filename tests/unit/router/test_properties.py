"""Whatever is typed: no exception, offsets that point at the words, the same answer twice."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import Invalid
from services.router import codec
from services.router.domain.classifier import Thresholds, classify
from services.router.domain.model import INTENTS, AskBack, Dialogue, Intent, Option, Origin, Question, Slot, Text
from services.router.domain.normalise import MAX_CHARACTERS, normalise
from services.router.domain.routes import LEGACY, ROUTES
from tests.support.catalogs import PLANTS, lexicon

_SAID = (
    "3라인 1~3라인 9라인 라인별 라인 line_c 7호기 설비 어느 제일 가장 상위 3개 불량률 불량 생산량 수율 "
    "재고 다운타임 OEE 온도 오늘 어제 지난주 이번 달 최근 7일 3월 30일 월요일 부터 까지 야간조 주간 오전 "
    "9시 2018년 비교 보다 대비 추이 왜 이상 예측 만약 5 넘으면 10% 올리면 알려줘 보내줘 매일 아침 그래프 "
    "보고서 은 는 이 가 을 를 와 과 의 , ? ! ~ - / line machine 1 to 3 and vs by per top worst best last "
    "week since Monday from until yesterday in August 2024 how much is the why compare if exceeds notify "
    "me report 999999999 2월 30일 0일 99시 \u200b ﷺ 😀 <script> {{7*7}} '; DROP TABLE"
)
WORDS = _SAID.split(" ")
utterances = st.one_of(
    st.text(min_size=1, max_size=500),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=40).map(" ".join).map(lambda text: text[:500]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=40).map("".join).map(lambda text: text[:500]),
)
_FROM, _TO = (
    datetime(year, month, day, tzinfo=UTC).replace(tzinfo=None) for year, month, day in ((1971, 1, 1), (2198, 12, 31))
)
instants = st.datetimes(_FROM, _TO, timezones=st.just(UTC))
slots = st.builds(
    Slot,
    st.sampled_from(["metric", "target", "period", "group_by", "order"]),
    st.sampled_from(["oee", "line:L01", "today", "yesterday_night", "line", "desc"]),
)
asked = st.builds(
    AskBack,
    st.just("?"),
    st.sampled_from([(), ("metric",), ("target",), ("condition",)]),
    st.sampled_from([(), (Option("oee", Text("OEE", "OEE")), Option("CHECK", Text("확인", "check")))]),
    st.sampled_from([Intent.NONE, *INTENTS]),
)
dialogues = st.builds(
    Dialogue,
    st.sampled_from([Intent.NONE, *INTENTS]),
    st.lists(slots, max_size=4).map(tuple),
    st.none() | asked,
    st.lists(slots, max_size=4).map(tuple),
)


@settings(max_examples=400, deadline=None)
@given(utterances, instants, dialogues, st.sampled_from(["", *PLANTS]))
def test_any_text_has_a_meaning(text: str, as_of: datetime, dialogue: Dialogue, plant: str) -> None:
    question = Question(text, as_of, dialogue=dialogue)
    if len(unicodedata.normalize("NFKC", text)) > MAX_CHARACTERS:
        return  # may be refused, see test_normalise
    found = classify(question, lexicon(plant), Thresholds())
    assert classify(question, lexicon(plant), Thresholds()) == found
    said = normalise(text).text
    for slot in found.slots:
        assert said[slot.start : slot.end] == slot.text
        assert slot.text or slot.origin is not Origin.STATED or slot in dialogue.last_slots + dialogue.pending_slots
        assert slot.window is None or slot.window.start < slot.window.end
    assert found.intent in INTENTS
    assert 0 <= found.confidence <= 1
    assert found.route is ROUTES[found.intent]
    assert found.ask_back is None or len(found.ask_back.missing) <= 2
    codec.encode_classification(found)


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text).text
    assert normalise(once).text == once


@pytest.mark.parametrize("year", [1, 1970, 2199, 9999])
def test_an_instant_without_a_calendar_around_it_is_refused(year: int) -> None:
    with pytest.raises(Invalid):
        classify(Question("어제", datetime(year, 6, 1, tzinfo=UTC)), lexicon("sample"), Thresholds())


def test_all_29_labels_of_earlier_releases_are_mapped_once() -> None:
    labels = [label for labels in LEGACY.values() for label in labels]
    assert len(labels) == len(set(labels)) == 29


def test_hands_of_the_clock_do_not_matter() -> None:
    instant = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
    seoul = instant.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+09:00").tzinfo) + timedelta(0)
    first, second = (classify(Question("어제 생산량", t), lexicon("sample"), Thresholds()) for t in (instant, seoul))
    assert first == second
