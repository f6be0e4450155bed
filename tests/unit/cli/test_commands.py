"""import, catalog, decisions, dev-token, help and usage: what is sent, what is shown, and what a script is told."""

import base64
import hashlib
import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from factoryai.data.v1 import data_import_pb2, data_service_pb2, metric_pb2, plant_pb2
from factoryai.orchestrator.v1 import decision_pb2, orchestrator_service_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2, value_pb2
from google.rpc import code_pb2

from services.cli import mappings
from services.cli.exit_codes import ExitCode
from services.cli.failure import InputProblem, Missing
from services.cli.main import build
from services.cli.views import chart as chart_view
from services.cli.views import table as table_view
from services.cli.views.text import plain
from services.cli.words import choose_language
from tests.unit.cli import samples
from tests.unit.cli.conftest import Factoryai
from tests.unit.cli.edge import Edge

ROOT = Path(__file__).parents[3]
IMPORT = "imports/0190a0b0-0000-7000-8000-00000000000a"
MAPPING = "version: 1\nplant: {id: mine}\nfiles:\n  - {name: a.csv}\n  - {name: b.csv}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_bytes("\ufeffid|양\n1|2\n".encode())
    (tmp_path / "b.csv").write_bytes(bytes(range(256)) * 4096)  # two chunks
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    return tmp_path


def imported(edge: Edge, **report: object) -> None:
    created = data_import_pb2.DataImport(name=IMPORT, state=data_import_pb2.IMPORT_STATE_UPLOADING)
    done = data_import_pb2.DataImport(name=IMPORT, plant="plants/mine", state=data_import_pb2.IMPORT_STATE_SUCCEEDED)
    for name, value in report.items():
        if name == "rejected_rows":
            done.rejected_rows.extend(value)  # type: ignore[arg-type] # the rows of one test
        else:
            setattr(done, name, value)
    edge.answer("POST /v1/imports", data_service_pb2.CreateImportResponse(data_import=created, created=True))
    edge.answer(f"POST /v1/{IMPORT}:upload", data_service_pb2.UploadImportChunkResponse(received_size=1))
    edge.answer(f"POST /v1/{IMPORT}:commit", data_service_pb2.CommitImportResponse(data_import=done, committed=True))


def test_import_sends_every_byte_once_and_reports(factoryai: Factoryai, edge: Edge, folder: Path) -> None:
    row = data_import_pb2.RejectedRow(file="a.csv", line=7, column="양", reason='"x\x1b" is no number')
    imported(edge, read_count=1000, inserted_count=998, rejected_count=1, skipped_count=1, rejected_rows=[row])
    ran = factoryai("import", str(folder), "--lang", "ko")
    assert ran.code == ExitCode.OK
    assert re.search(r"새로 넣은 행\s+998", ran.out)
    assert re.search(r"a\.csv\s+7\s+양\s+\"x�\" is no number", ran.out)
    created = edge.asked[0].body["dataImport"]
    assert isinstance(created, dict)
    assert created["mapping"] == MAPPING
    assert [each["name"] for each in created["files"]] == ["a.csv", "b.csv"]
    arrived: dict[str, bytes] = {}
    for each in edge.asked[1:-1]:
        name, content = str(each.body["file"]), base64.b64decode(str(each.body["content"]))
        assert int(str(each.body.get("offset", "0"))) == len(arrived.get(name, b""))
        assert len(content) <= 512 * 1024
        arrived[name] = arrived.get(name, b"") + content
    for stated in created["files"]:
        assert hashlib.sha256(arrived[stated["name"]]).hexdigest() == stated["sha256"]
        assert int(stated["size"]) == len(arrived[stated["name"]])


def test_import_can_be_strict_and_can_speak_json(factoryai: Factoryai, edge: Edge, folder: Path) -> None:
    imported(edge, rejected_count=3)
    assert factoryai("import", str(folder)).code == ExitCode.OK
    assert factoryai("import", str(folder), "--strict").code == ExitCode.REJECTED_ROWS
    assert json.loads(factoryai("import", str(folder), "--json").out)["dataImport"]["rejectedCount"] == "3"


def test_a_mapping_is_found_by_wish_by_folder_and_by_files(folder: Path, tmp_path: Path) -> None:
    assert [path.name for path in mappings.choose(folder, "").files] == ["a.csv", "b.csv"]
    assert mappings.choose(folder / "a.csv", "").origin.endswith("mapping.yaml")
    for name in mappings.shipped():
        data = ROOT / "services" / "data" / "datasets" / name
        assert mappings.choose(data, name).origin == name
        bare = tmp_path / name
        bare.mkdir()
        for path in mappings.choose(data, "").files:
            (bare / path.name).write_bytes(path.read_bytes())
        assert mappings.choose(bare, "").origin == name, "the files of a data set tell which it is"


@pytest.mark.parametrize("document", ["files: []", "files: [a.csv]", "a: [", "- 1", "files: [{nom: a}]", ""])
def test_a_broken_mapping_is_named(folder: Path, document: str) -> None:
    (folder / "mapping.yaml").write_text(document)
    with pytest.raises(InputProblem):
        mappings.choose(folder, "")


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "b.csv").unlink()
    with pytest.raises(Missing) as missing:
        mappings.choose(folder, "")
    assert missing.value.values["files"] == "b.csv"
    with pytest.raises(Missing):
        mappings.choose(tmp_path / "nowhere", "")
    with pytest.raises(Missing):
        mappings.choose(folder, "no-such-mapping")
    (folder / "mapping.yaml").unlink()
    with pytest.raises(Missing):
        mappings.choose(folder, "")


def test_catalog_lists_plants_and_shows_one(factoryai: Factoryai, edge: Edge) -> None:
    plant = plant_pb2.Plant(
        name="plants/sample", display_name=samples.both("견본 공장", "Sample plant"), synthetic=True
    )
    metric = metric_pb2.Metric(
        id="defect_rate",
        display_name=samples.both("불량률", "Defect rate"),
        unit="1",
        target_value=0.03,
        dimensions=[target_pb2.DIMENSION_LINE],
        finest_grain=time_window_pb2.TIME_GRAIN_HOUR,
    )
    targets = [plant_pb2.TargetEntry(target=target_pb2.Target(name=f"equipment:E{n:03}")) for n in range(15)]
    found = plant_pb2.Catalog(plant=plant, metrics=[metric], targets=targets, unavailable_metrics=["flow"])
    edge.answer("GET /v1/plants", data_service_pb2.ListPlantsResponse(plants=[plant]))
    edge.answer("GET /v1/plants/sample/catalog", data_service_pb2.GetCatalogResponse(catalog=found))
    assert "견본 공장" in factoryai("catalog", "--lang", "ko").out
    shown = factoryai("catalog", "plants/sample").out
    for told in ("Synthetic data", "Defect rate", "3.0%", "line", "hour", "flow", "E011", "…"):
        assert told in shown
    assert "E014" not in shown
    assert "E014" in factoryai("catalog", "sample", "--all").out
    assert "catalog" in json.loads(factoryai("catalog", "sample", "--json").out)


def test_decisions_are_listed_by_filters_and_pages(factoryai: Factoryai, edge: Edge) -> None:
    page = orchestrator_service_pb2.ListDecisionsResponse(decisions=[samples.decision()], next_page_token="more")  # noqa: S106 - no secret
    edge.answer("GET /v1/decisions", page)
    ran = factoryai(
        "decisions",
        "list",
        "--plant",
        "sample",
        "--state",
        "succeeded",
        "--intent",
        "find-cause",
        "--since",
        "2025-11-01",
    )
    assert "--page-token more" in ran.err
    assert "오늘 1라인 불량률 어때?" in ran.out
    query = parse_qs(urlsplit(edge.asked[0].path).query)
    assert query == {
        "plant": ["sample"],
        "state": ["DECISION_STATE_SUCCEEDED"],
        "intent": ["INTENT_FIND_CAUSE"],
        "startTime": ["2025-10-31T15:00:00Z"],
        "pageSize": ["20"],
    }
    assert factoryai("decisions").out == factoryai("decisions", "list").out


def test_a_decision_is_shown_by_id_or_name(factoryai: Factoryai, edge: Edge) -> None:
    made = samples.decision(samples.rank_table(), language="en")
    edge.answer(f"GET /v1/{samples.NAME}", orchestrator_service_pb2.GetDecisionResponse(decision=made))
    for name in (samples.NAME, samples.NAME.removeprefix("decisions/")):
        shown = factoryai("decisions", "show", name).out
        assert "check (CHECK)" in shown
        assert "Downtime" in shown
    failed = samples.decision()
    failed.state = decision_pb2.DECISION_STATE_FAILED
    failed.error.code, failed.error.message = code_pb2.UNAVAILABLE, "the data layer is away"
    edge.answers[f"GET /v1/{samples.NAME}"].clear()
    edge.answer(f"GET /v1/{samples.NAME}", orchestrator_service_pb2.GetDecisionResponse(decision=failed))
    assert "the data layer is away" in factoryai("decisions", "show", samples.NAME).out


def test_an_id_cannot_leave_its_place_in_the_path(factoryai: Factoryai, edge: Edge) -> None:
    factoryai("decisions", "show", "../plants?x=1#y")
    assert edge.asked[0].path == "/v1/decisions/..%2Fplants%3Fx%3D1%23y"


def test_feedback_and_cancel(factoryai: Factoryai, edge: Edge) -> None:
    made = samples.decision()
    edge.answer(f"POST /v1/{samples.NAME}:feedback", orchestrator_service_pb2.AddFeedbackResponse(decision=made))
    edge.answer(
        f"POST /v1/{samples.NAME}:cancel",
        orchestrator_service_pb2.CancelDecisionResponse(decision=made, cancelled=True),
    )
    ran = factoryai("decisions", "feedback", samples.NAME, "--down", "--rating", "2", "--intent", "check")
    assert ran.code == ExitCode.OK
    assert edge.asked[0].body["feedback"] == {
        "thumb": "THUMB_DOWN",
        "rating": 2,
        "correctedIntent": "INTENT_CHECK",
    }
    assert factoryai("decisions", "feedback", samples.NAME).code == ExitCode.USAGE
    assert factoryai("decisions", "cancel", samples.NAME).code == ExitCode.OK


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("aks",), "Did you mean ask?"),
        (("ask",), "QUESTION is needed"),
        (("ask", "x", "--colour"), "no such option"),
        (("ask", "x", "--as-of", "yesterday"), "is no time"),
        (("ask", "x", "--language", "fr"), "--language"),
        (("ask", "x", "--url", "http://example.com"), "unencrypted"),
        (("ask", "x", "--url", "nowhere"), "no http(s) address"),
        (("ask", "x", "--ca-file", "nowhere.pem"), "CA certificate"),
        (("decisions", "--intent", "dance"), "no such intent"),
        (("decisions", "list", "--page-size", "0"), "--page-size"),
        (("dev-token",), "leave out --url"),
    ],
)
def test_a_wrong_command_line_sends_nothing(
    factoryai: Factoryai, edge: Edge, arguments: tuple[str, ...], told: str
) -> None:
    ran = factoryai(*arguments)
    assert ran.code == ExitCode.USAGE
    assert told in ran.err
    assert not edge.asked


def test_help_speaks_both_languages_and_every_command_takes_the_shared_options(factoryai: Factoryai) -> None:
    tree = build()
    commands = [(name,) for name in tree.commands] + [
        ("decisions", name) for name in tree.commands["decisions"].commands
    ]
    for words in commands:
        for language, usage in (("ko", "사용법:"), ("en", "Usage:")):
            ran = factoryai(*words, "--help", "--lang", language)
            assert ran.code == ExitCode.OK
            assert usage in ran.out
            for option in ("--home", "--json", "--url", "--ca-file", "--token", "--lang"):
                assert option in ran.out, words
    assert factoryai().code == ExitCode.USAGE


def test_the_language_follows_option_variable_and_locale() -> None:
    assert choose_language(["ask", "--lang", "en"], {"LANG": "ko_KR.UTF-8"}) == "en"
    assert choose_language(["--lang=ko"], {}) == "ko"
    assert choose_language([], {"FACTORYAI_LANG": "ko", "LANG": "en_US.UTF-8"}) == "ko"
    assert choose_language([], {"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}) == "en"
    assert choose_language([], {"LANG": "ko_KR.UTF-8"}) == "ko"
    assert choose_language([], {}) == "en"


def test_version(factoryai: Factoryai) -> None:
    assert factoryai("version").out.startswith("factoryai ")
    assert json.loads(factoryai("version", "--json").out)["version"]


def test_exit_codes_are_documented() -> None:
    documented = dict(
        re.findall(r"^\| (\d+) \| `(\w+)` \|", (ROOT / "docs" / "cli.md").read_text(), flags=re.MULTILINE)
    )
    assert documented == {str(code.value): code.name for code in ExitCode}


@pytest.mark.parametrize(
    ("values", "drawn"),
    [([], ""), ([None], ""), ([1.0], "▄"), ([0, None, 1], "▁ █"), ([5, 5], "▄▄"), (list(range(8)), "▁▂▃▄▅▆▇█")],
)
def test_sparklines(values: list[float | None], drawn: str) -> None:
    assert chart_view.sparkline(values) == drawn


def test_a_long_series_is_drawn_by_its_means() -> None:
    assert len(chart_view.sparkline([float(n % 7) for n in range(1000)])) == 72


def test_bars_keep_to_scale() -> None:
    assert chart_view.bar(10, 10) == "█" * 32
    assert chart_view.bar(5, 10) == "█" * 16
    assert chart_view.bar(0.0001, 10) == "▏"
    assert [chart_view.bar(value, 10) for value in (None, 0.0, -1.0)] == ["", "", ""]


def test_a_table_that_breaks_its_promise_shows_dashes() -> None:
    short = value_pb2.Column(id="x", type=value_pb2.COLUMN_TYPE_NUMBER, numbers=[1.0])
    assert table_view.cells(short, "en")(1) == table_view.NOTHING


def test_plain_keeps_what_can_be_read() -> None:
    assert plain("불량률 👩‍🔧\n3.1%\t") == "불량률 👩‍🔧\n3.1%\t"
    assert plain("a\x1b[31mb\r\x00") == "a�[31mb��"
