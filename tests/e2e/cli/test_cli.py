"""`factoryai` as people run it: a process of its own against the whole stack."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.exit_codes import ExitCode
from tests.support.stack import RunningStack

ROOT = Path(__file__).parents[3]
DATASETS = ROOT / "services" / "data" / "datasets"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


class Shell:
    """Runs `factoryai` with the stack's home in its environment."""

    def __init__(self, home: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTORYAI_")}
        self._environment = {**kept, "FACTORYAI_HOME": home, "LC_ALL": "C.UTF-8"}

    def __call__(self, *arguments: str, stdin: str = "", code: int = ExitCode.OK) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            cwd=ROOT,
            env=self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == ExitCode.OK else done.stdout + done.stderr


@pytest.fixture(scope="module")
def factoryai(stack: RunningStack) -> Shell:
    return Shell(str(stack.home))


def test_status_tells_where_it_is(factoryai: Shell) -> None:
    told = json.loads(factoryai("status", "--json"))
    assert told["state"] == "ready"
    assert told["url"].startswith("https://")
    assert Path(told["ca_file"]).is_file()
    assert {"postgres", "valkey", "envoy"} <= set(told["parts"])
    assert "준비됨" in factoryai("status", "--lang", "ko")


def test_a_question_is_answered_with_figures_and_evidence(factoryai: Shell) -> None:
    told = factoryai("ask", "지난주 라인별 생산량 비교해 줘", "--evidence")
    figures = re.findall(r"[\d,]{5,}", told.splitlines()[0])
    assert len(figures) >= 3
    assert "█" in told
    assert "근거" in told


def test_json_is_a_decision_that_can_be_read_again(factoryai: Shell) -> None:
    asked = json.loads(factoryai("ask", "How is the defect rate of line 1 today?", "--json"))
    assert asked["created"] is True
    decision = asked["decision"]
    again = json.loads(factoryai("decisions", "show", decision["name"], "--json"))["decision"]
    assert again["answer"]["text"] == decision["answer"]["text"]
    listed = json.loads(factoryai("decisions", "list", "--intent", "check", "--json"))
    assert decision["name"] in [each["name"] for each in listed["decisions"]]
    factoryai("decisions", "feedback", decision["name"], "--up", "--comment", "좋아요")
    rated = json.loads(factoryai("decisions", "show", decision["name"], "--json"))["decision"]
    assert [each["comment"] for each in rated["feedback"]] == ["좋아요"]


def test_the_same_request_id_gives_the_same_decision(factoryai: Shell) -> None:
    question = ("ask", "오늘 생산량 얼마야?", "--request-id", "cli-e2e-1", "--json")
    first, second = (json.loads(factoryai(*question)) for _ in range(2))
    assert (first["created"], second["created"]) == (True, False)
    assert first["decision"]["name"] == second["decision"]["name"]
    refused = factoryai("ask", "어제 생산량 얼마야?", "--request-id", "cli-e2e-1", code=ExitCode.CONFLICT)
    assert "request id" in refused


def test_a_conversation_leans_on_what_went_before(factoryai: Shell) -> None:
    lines = factoryai("chat", "--json", stdin="어제 1라인 불량률 어때?\n2라인은?\n").splitlines()
    first, second = (json.loads(line)["decision"] for line in lines)
    assert first["conversation"] == second["conversation"]
    slots = {(slot["name"], slot["value"]) for slot in second["classification"]["slots"]}
    assert ("target", "line:L02") in slots
    assert ("metric", "defect_rate") in slots


def test_classify_and_catalog(factoryai: Shell) -> None:
    found = json.loads(factoryai("classify", "3라인 불량률 왜 올랐어?", "--json"))["classification"]
    assert found["intent"] == "INTENT_FIND_CAUSE"
    assert "원인" in factoryai("classify", "3라인 불량률 왜 올랐어?", "--lang", "ko")
    assert "sample" in factoryai("catalog")
    assert "defect_rate" in factoryai("catalog", "sample")


def test_published_files_are_imported_once(factoryai: Shell, tmp_path: Path) -> None:
    for name, rejected, skipped in (("bottling-line-2024", "7", "1"), ("steel-gwangyang-2018", "0", "0")):
        # A folder without our mapping: the files themselves tell which it is.
        folder = tmp_path / name
        folder.mkdir()
        for file in DATASETS.joinpath(name).glob("*.csv"):
            shutil.copy(file, folder)
        first, second = (json.loads(factoryai("import", str(folder), "--json"))["dataImport"] for _ in range(2))
        assert first["state"] == second["state"] == "IMPORT_STATE_SUCCEEDED"
        assert (first["rejectedCount"], first["skippedCount"]) == (rejected, skipped)
        assert (second["insertedCount"], second["updatedCount"]) == ("0", "0")
        assert second["unchangedCount"] == str(int(first["insertedCount"]) + int(first["unchangedCount"]))
    assert "line-downtime.csv" in factoryai(
        "import", str(DATASETS / "bottling-line-2024"), "--strict", code=ExitCode.REJECTED_ROWS
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask", ""), ExitCode.INVALID),
        (("ask", "가" * 501), ExitCode.INVALID),
        (("ask", "x", "--plant", "moon"), ExitCode.NOT_FOUND),
        (("ask", "x", "--token", "nonsense"), ExitCode.REFUSED),
        (("decisions", "show", "0190a0b0-0000-7000-8000-000000000001"), ExitCode.NOT_FOUND),
        (("decisions", "show", "../plants"), ExitCode.INVALID),
        (("decisions", "list", "--page-token", "nonsense"), ExitCode.INVALID),
        (("catalog", "moon"), ExitCode.NOT_FOUND),
    ],
)
def test_every_refusal_has_its_exit_code_and_a_request_id(
    factoryai: Shell, arguments: tuple[str, ...], code: ExitCode
) -> None:
    assert "Request id" in factoryai(*arguments, code=code)


def test_a_certificate_that_is_not_ours_is_not_trusted(factoryai: Shell, stack: RunningStack) -> None:
    told = factoryai("ask", "x", "--url", stack.url, "--token", "x", code=ExitCode.UNAVAILABLE)
    assert "not trusted" in told


def test_a_token_of_the_stack_opens_it_by_its_address(factoryai: Shell, stack: RunningStack) -> None:
    token = factoryai("dev-token", "--ttl", "60").strip()
    assert "sample" in factoryai("catalog", "--url", stack.url, "--ca-file", str(stack.ca_file), "--token", token)
