import unicodedata
from collections import Counter

import pytest
import yaml

from services.data.domain import metrics
from services.data.domain.metrics import Aggregation
from tests.support import plants

# What the router and the orchestrator may ask for.
AGREED = {
    "production_qty",
    "good_qty",
    "defect_qty",
    "planned_qty",
    "achievement",
    "defect_rate",
    "yield_rate",
    "scrap_rate",
    "rework_rate",
    "oee",
    "availability",
    "performance",
    "quality",
    "cycle_time",
    "downtime",
    "stop_count",
    "mtbf",
    "mttr",
    "batch_count",
    "batch_duration",
    "inventory",
    "coverage_days",
    "energy",
    "co2",
    "power_factor",
    "temperature",
    "vibration",
    "pressure",
    "humidity",
    "flow",
    "level",
}


def test_every_agreed_metric_is_defined() -> None:
    assert set(plants.known_metrics()) == AGREED


def test_no_word_names_two_metrics() -> None:
    words = Counter(
        "".join(unicodedata.normalize("NFC", word).casefold().split())
        for metric in plants.known_metrics().values()
        for word in {metric.id, metric.name.ko, metric.name.en, *metric.aliases}
    )
    repeated = {word for word, count in words.items() if count > 1}
    # A name and an alias of the same metric may differ in spacing only.
    shared = {
        word
        for word in repeated
        if len(
            {
                metric.id
                for metric in plants.known_metrics().values()
                for each in (metric.id, metric.name.ko, metric.name.en, *metric.aliases)
                if "".join(each.casefold().split()) == word
            }
        )
        > 1
    }
    assert shared == set()


def test_every_metric_has_words_in_both_languages() -> None:
    for metric in plants.known_metrics().values():
        korean = [word for word in metric.aliases if any("가" <= letter <= "힣" for letter in word)]
        assert len(korean) >= 2, metric.id
        assert len(metric.aliases) - len(korean) >= 2, metric.id


def test_the_aggregation_says_what_the_factors_do() -> None:
    for metric in plants.known_metrics().values():
        factors = metric.sources[0].factors
        assert (metric.aggregation is Aggregation.PRODUCT) == (len(factors) > 1), metric.id
        divided = any(factor.denominator for factor in factors)
        wanted = metric.aggregation in {Aggregation.RATIO, Aggregation.MEAN, Aggregation.PRODUCT}
        assert divided == wanted, metric.id


def test_a_formula_reads_as_a_person_would_write_it() -> None:
    known = plants.known_metrics()
    assert known["defect_rate"].formula == "sum(defect_qty) / sum(total_qty)"
    assert known["availability"].formula == "sum(runtime_min) / (sum(runtime_min) + sum(downtime_min))"
    assert known["mtbf"].formula == "sum(runtime_min) / sum(stop_count) / 60"
    assert known["cycle_time"].formula == "sum(runtime_min) / sum(total_qty) * 60"
    assert known["inventory"].formula == "sum(stock_qty) of the newest rows"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"sources": [{"dataset": "colours", "factors": [{"numerator": ["a"]}]}]}, "is no data set"),
        ({"sources": [{"dataset": "energy", "factors": [{"numerator": ["minutes"]}]}]}, "is no term over energy"),
        ({"sources": [{"dataset": "energy", "factors": [{"numerator": ["distinct energy_kwh"]}]}]}, "is no term"),
        ({"sources": [{"dataset": "reading", "factors": [{"numerator": ["value"]}]}]}, "has a tag"),
        ({"sources": [{"dataset": "energy", "tag": "x", "factors": [{"numerator": ["co2_t"]}]}]}, "has a tag"),
    ],
)
def test_a_definition_that_does_not_fit_the_data_sets_is_refused(change: dict[str, object], part: str) -> None:
    definitions = yaml.safe_load(plants.definition("metrics.yaml"))
    with pytest.raises(ValueError, match=part):
        metrics.parse(yaml.safe_dump([{**definitions[0], **change}]))
