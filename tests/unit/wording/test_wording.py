"""Figures and particles as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.wording import (
    Language,
    Particles,
    format_change,
    format_number,
    format_period,
    format_value,
    josa,
    settle_particles,
)


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("불량률", "은/는", "불량률은"),
        ("가동률", "이/가", "가동률이"),
        ("온도", "을/를", "온도를"),
        ("진동", "으로/로", "진동으로"),
        ("불량률", "으로/로", "불량률로"),
        ("1라인", "과/와", "1라인과"),
        ("7호기", "과/와", "7호기와"),
        ("OEE", "은/는", "OEE는"),
        ("MTBF", "이/가", "MTBF가"),
        ("MTTR", "이/가", "MTTR이"),
        ("L03", "이/가", "L03이"),
        ("E007", "으로/로", "E007로"),
        ("E007", "은/는", "E007은"),
        ("PRD002", "은/는", "PRD002는"),
        ("CO-600", "은/는", "CO-600은"),
        ("LINE_A", "은/는", "LINE_A는"),
        ("B동", "이/가", "B동이"),
        ("dee", "은/는", "dee는"),
        ("line", "을/를", "line을"),
        ("bottle", "으로/로", "bottle로"),
        ("shop", "을/를", "shop을"),
        ("night shift", "은/는", "night shift는"),
        ("3.1%", "으로/로", "3.1%로"),
        ("1.2%p", "이/가", "1.2%p가"),
        ("41.2°C", "을/를", "41.2°C를"),
        ("1,240 kWh", "이/가", "1,240 kWh가"),
        ("20 kg", "을/를", "20 kg을"),
        ("4.5 mm/s", "으로/로", "4.5 mm/s로"),
        ("3 m", "을/를", "3 m를"),
        ("93분", "으로/로", "93분으로"),
        ("10", "을/를", "10을"),
        ("1,000", "으로/로", "1,000으로"),
        ("12.5", "을/를", "12.5를"),
        ("콜라(600ml)", "은/는", "콜라(600ml)는"),
        ("'수율'", "이/가", "'수율'이"),
        ("품질", "이에요/예요", "품질이에요"),
        ("1위", "이에요/예요", "1위예요"),
        ("", "은/는", "는"),
        ("🙂", "은/는", "🙂는"),
    ],
)
def test_particle_follows_the_final_consonant(word: str, pair: Particles, expected: str) -> None:
    assert josa(word, pair) == expected


@pytest.mark.parametrize(
    ("value", "unit", "ko", "en"),
    [
        (0.031, "1", "3.1%", "3.1%"),
        (0.03125, "1", "3.12%", "3.12%"),
        (0.85, "1", "85.0%", "85.0%"),
        (1.0, "1", "100.0%", "100.0%"),
        (0.0, "1", "0.0%", "0.0%"),
        (-0.00000001, "1", "-0.000001%", "-0.000001%"),
        (12.5, "1", "1,250.0%", "1,250.0%"),
        (93.0, "min", "93분", "93 min"),
        (1240.5, "kW.h", "1,240.5 kWh", "1,240.5 kWh"),
        (41.25, "Cel", "41.25°C", "41.25 °C"),
        (3.0, "d", "3일", "3 days"),
        (1234567.0, "", "1,234,567", "1,234,567"),
        (12.0, "{piece}", "12", "12"),
        (4.5, "mm/s", "4.5 mm/s", "4.5 mm/s"),
        (0.0123, "mm/s", "0.012 mm/s", "0.012 mm/s"),
        (-0.0, "", "0", "0"),
        (float("nan"), "", "-", "-"),
        (float("inf"), "1", "-", "-"),
    ],
)
def test_figures_with_their_units(value: float, unit: str, ko: str, en: str) -> None:
    assert (format_value(value, unit, "ko"), format_value(value, unit, "en")) == (ko, en)


def test_differences_of_fractions_are_percentage_points() -> None:
    assert format_change(-0.012, "1", "ko") == "1.2%p"
    assert format_change(-0.012, "1", "en") == "1.2 pp"
    assert format_change(-12, "min", "ko") == "12분"


@pytest.mark.parametrize(
    ("label", "ko", "en"),
    [
        ("last_week", "지난주", "last week"),
        ("last_30d", "최근 30일", "the last 30 days"),
        ("last_3h", "최근 3시간", "the last 3 hours"),
        ("2024-09-01/2024-09-08", "2024-09-01 ~ 2024-09-08", "2024-09-01 to 2024-09-08"),
    ],
)
def test_periods_by_their_labels(label: str, ko: str, en: str) -> None:
    assert (format_period(label, "ko"), format_period(label, "en")) == (ko, en)


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("불량률 3.1%이(가) 목표 3.0%을(를) 넘었습니다", "불량률 3.1%가 목표 3.0%를 넘었습니다"),
        (
            "온도 91.5°C이(가) 높습니다. 진동은(는) 4.5 mm/s(으)로 낮습니다",
            "온도 91.5°C가 높습니다. 진동은 4.5 mm/s로 낮습니다",
        ),
        ("E007와(과) E008과(와) E009", "E007과 E008과 E009"),
        ("열린 것이 없습니다", "열린 것이 없습니다"),
        ("이(가)", "이(가)"),
    ],
)
def test_particles_left_open_are_settled(text: str, settled: str) -> None:
    assert settle_particles(text) == settled


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["1", "", "min", "kW.h", "{x}", "weird"]))
def test_every_figure_can_be_written(value: float, unit: str) -> None:
    languages: tuple[Language, ...] = ("ko", "en")
    for language in languages:
        assert format_value(value, unit, language)
        assert not format_change(value, unit, language).startswith("-0")


@given(st.floats(min_value=-1e9, max_value=1e9))
def test_a_written_number_reads_back_near_the_value(value: float) -> None:
    read = float(format_number(value).replace(",", ""))
    assert read == pytest.approx(value, abs=0.0051, rel=0.06) or abs(value) < 1e-11
    assert abs(read - value) <= 0.0051


@given(st.text(max_size=30))
def test_any_word_takes_a_particle(word: str) -> None:
    assert josa(word, "이/가") in {word + "이", word + "가"}
