"""Every utterance of tests/cases/router means what its case says."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from services.router.domain.classifier import Thresholds, classify
from services.router.domain.model import AskBack, Classification, Dialogue, Intent, Option, Question, Slot, Text, Window
from services.router.domain.shifts import on_day
from services.router.domain.time.spans import Now, named, place
from tests.support.catalogs import lexicon

FOLDER = Path(__file__).parents[2] / "cases" / "router"


def _cases() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for i, case in enumerate(content["cases"]):
            whole = {"plant": content["plant"], "as_of": content["as_of"], **case}
            whole["context"] = content.get("contexts", {}).get(case.get("context"), {})
            found.append(pytest.param(whole, id=f"{path.stem}-{i}-{case['say'][:30]}"))
    return found


def _window(label: str, case: Mapping[str, Any]) -> Window:
    catalogue = lexicon(case["plant"]).catalogue
    zone = ZoneInfo(catalogue.time_zone)
    now = Now(datetime.fromisoformat(case["as_of"]).astimezone(zone).replace(tzinfo=None))
    day, _, last = label.rpartition("_")
    shift = [each for each in catalogue.shifts if each.id == last]
    return place(on_day(named(day, now), shift, now) if shift else named(label, now), zone)


def _slots(given: Mapping[str, Any], case: Mapping[str, Any]) -> tuple[Slot, ...]:
    slots = []
    for name, values in given.items():
        for value in values if isinstance(values, list) else [values]:
            window = _window(value, case) if name == "period" else None
            slots.append(Slot(name, value, window=window))
    return tuple(slots)


def _dialogue(case: Mapping[str, Any]) -> Dialogue:
    context = case["context"]
    pending = context.get("pending")
    options = tuple(Option(o, Text(o, o)) for o in (pending or {}).get("options", []))
    return Dialogue(
        Intent(context.get("last_intent", "")),
        _slots(context.get("last_slots", {}), case),
        AskBack("?", tuple(pending["missing"]), options, Intent(pending["intent"])) if pending else None,
        _slots(context.get("pending_slots", {}), case),
    )


def classified(case: Mapping[str, Any]) -> Classification:
    question = Question(case["say"], datetime.fromisoformat(case["as_of"]), case.get("language", ""), _dialogue(case))
    return classify(question, lexicon(case["plant"]), Thresholds())


def _values(found: Sequence[Slot], name: str) -> list[str]:
    return [slot.value for slot in found if slot.name == name]


def difference(case: Mapping[str, Any], found: Classification) -> list[str]:
    """Return what is not as the case says."""
    wrong = []
    if found.intent != case["intent"]:
        wrong.append(f"intent {found.intent} {found.confidence}, not {case['intent']}")
    for name, value in case.get("slots", {}).items():
        wanted = value if isinstance(value, list) else [value]
        if sorted(_values(found.slots, name)) != sorted(wanted):
            wrong.append(f"{name} {_values(found.slots, name)}, not {wanted}")
    wrong += [
        f"a {name}: {_values(found.slots, name)}" for name in case.get("without", []) if _values(found.slots, name)
    ]
    asked = list(found.ask_back.missing) if found.ask_back else []
    if found.intent != "CLARIFY" and case["intent"] != "CONTINUE" and asked != case.get("ask", []):
        wrong.append(f"asks for {asked}, not {case.get('ask', [])}")
    windows = [s.window for s in found.slots if s.window is not None]
    for i, (start, end) in enumerate(case.get("windows", [])):
        got = (f"{windows[i].start:%Y-%m-%d %H:%M}", f"{windows[i].end:%Y-%m-%d %H:%M}") if i < len(windows) else None
        if got != (start, end):
            wrong.append(f"window {got}, not {(start, end)}")
    secondary = [c.intent.value for c in found.secondary]
    if "also" in case and case["also"] not in secondary:
        wrong.append(f"secondary {secondary}, not {case['also']}")
    return wrong


@pytest.mark.parametrize("case", _cases())
def test_case(case: Mapping[str, Any]) -> None:
    found = classified(case)
    assert not difference(case, found), "; ".join(found.cues)


def _alone() -> list[Any]:
    return [case for case in _cases() if not case.values[0]["context"]]


@pytest.mark.parametrize("case", _alone())
def test_capitals_and_sighs_change_nothing(case: Mapping[str, Any]) -> None:
    for said in (case["say"].upper(), f"{case['say']} ㅠㅠ", case["say"].replace("?", "")):
        if said.strip():
            assert classified({**case, "say": said}).intent == case["intent"]


def test_nearly_all_korean_is_understood_without_its_spaces() -> None:
    korean = [
        case.values[0] for case in _alone() if not any(c.isascii() and c.isalpha() for c in case.values[0]["say"])
    ]
    glued = [{**case, "say": case["say"].replace(" ", "")} for case in korean]
    right = [case for case in glued if classified(case).intent == case["intent"]]
    assert len(right) >= 0.97 * len(glued)
