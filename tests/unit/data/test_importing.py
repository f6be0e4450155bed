from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.data.domain import importing, mapping
from services.data.domain.datasets import DATASETS
from services.data.domain.imports import Batch, Report
from services.errors import Invalid, Reason

CASES = sorted((Path(__file__).parents[2] / "cases" / "data" / "import").glob("*.yaml"))
DATA = Path(__file__).parents[3] / "services" / "data" / "datasets"


def document(case: dict[str, Any]) -> str:
    skip = case.get("skip", {})
    files = [
        {"name": name, "separator": case.get("separator", ","), "skip": skip.get(name, {})} for name in case["files"]
    ]
    plant = {
        "id": "case",
        "name": {"ko": "시험", "en": "Case"},
        "time_zone": case.get("time_zone", "Asia/Seoul"),
        "shifts": case.get("shifts", []),
    }
    return yaml.safe_dump(
        {"version": 1, "plant": plant, "files": files, "loads": [case["load"]]}, allow_unicode=True, sort_keys=False
    )


def read(case: dict[str, Any]) -> tuple[Batch, Report]:
    encoding = case.get("encoding", "utf-8")
    contents = {name: content.encode(encoding) for name, content in case["files"].items()}
    return importing.read(mapping.read(document(case)), contents)


def shown(value: object, wanted: object) -> object:
    return datetime.fromisoformat(str(wanted)) if isinstance(value, datetime) else wanted


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    expected = case["expect"]
    if "unreadable" in expected:
        with pytest.raises(Invalid) as refused:
            read(case)
        assert refused.value.reason is Reason.IMPORT_REJECTED
        assert [each.description for each in refused.value.violations] == expected["unreadable"]
        return
    batch, report = read(case)
    assert report.read == expected["read"]
    assert report.skipped == expected.get("skipped", 0)
    found = [(row.file, row.line, row.column, row.reason) for row in report.rejected_rows]
    wanted = [tuple(each) for each in expected.get("rejected", [])]
    assert [each[:3] for each in found] == [each[:3] for each in wanted]
    for (*_, reason), (*_, part) in zip(found, wanted, strict=True):
        assert reason.startswith(part)
    assert report.rejected == len(wanted)
    for name, rows in expected["rows"].items():
        columns = DATASETS[name].columns
        taken = [dict(zip(columns, row, strict=True)) for row in batch.rows[name]]
        assert len(taken) == len(rows)
        for row, want in zip(taken, rows, strict=True):
            assert {key: row[key] for key in want} == {key: shown(row[key], value) for key, value in want.items()}


def shipped(folder: str) -> tuple[Batch, Report]:
    mapped = mapping.read((DATA / folder / "mapping.yaml").read_text(encoding="utf-8"))
    return importing.read(mapped, {file.name: (DATA / folder / file.name).read_bytes() for file in mapped.files})


def test_the_steel_file_is_taken_whole() -> None:
    batch, report = shipped("steel-gwangyang-2018")
    assert (report.read, report.rejected) == (35_040, 0)
    rows = batch.rows["energy"]
    starts = sorted(row[1] for row in rows if isinstance(row[1], datetime))
    assert len(set(starts)) == 35_040
    # A year without a gap: read as 0:00 of the printed date it has 365 jumps backward.
    assert (starts[-1] - starts[0]).total_seconds() == 35_039 * 900
    assert starts[0] == datetime.fromisoformat("2018-01-01T00:00+09:00")


def test_the_bottling_files_are_taken_but_for_seven_batches_that_nobody_timed() -> None:
    batch, report = shipped("bottling-line-2024")
    # line-downtime.csv has 38 batches, line-productivity.csv has the times of 31 of them.
    assert [row.line for row in report.rejected_rows] == [29, 30, 31, 32, 33, 34, 35]
    assert {row.column for row in report.rejected_rows} == {"Batch"}
    assert (report.skipped, len(batch.rows["production"]), len(batch.rows["downtime"])) == (1, 31, 50)
    production, downtime = DATASETS["production"], DATASETS["downtime"]
    lots = {
        row[production.position("lot")]: row[production.position("downtime_min")] for row in batch.rows["production"]
    }
    for lot, minutes in lots.items():
        stops = [row for row in batch.rows["downtime"] if row[downtime.position("lot")] == lot]
        assert sum(float(str(row[downtime.position("minutes")])) for row in stops) == minutes


def test_every_name_in_the_shipped_mappings_is_used_by_the_rows() -> None:
    batch, _ = shipped("bottling-line-2024")
    named = {str(entry.target) for entry in batch.targets if entry.name is not None}
    used = {
        f"{dimension}:{row[4 + at]}"
        for name, rows in batch.rows.items()
        for at, dimension in enumerate(DATASETS[name].dimensions)
        for row in rows
    }
    # Nobody pressed the emergency stop in those days.
    assert named - used == {"reason:emergency_stop"}


BASE: dict[str, Any] = {
    "files": {"meter.csv": "date,kWh\n"},
    "load": {
        "dataset": "energy",
        "file": "meter.csv",
        "key": ["started_at"],
        "fields": {
            "started_at": {"columns": ["date"], "formats": ["%Y-%m-%d %H:%M"]},
            "energy_kwh": {"column": "kWh"},
        },
    },
}


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        mapping.read(text)
    assert refused.value.reason is Reason.IMPORT_REJECTED
    return [(each.field, each.description) for each in refused.value.violations]


def load_with(**changes: Any) -> str:
    return document({**BASE, "load": {**BASE["load"], **changes}})


def fields_with(**changes: Any) -> str:
    return load_with(fields={**BASE["load"]["fields"], **changes})


@pytest.mark.parametrize(
    ("text", "field", "part"),
    [
        ("", "data_import.mapping", "valid dictionary"),
        ("- 1", "data_import.mapping", "valid dictionary"),
        ("a: [", "data_import.mapping", "this is no YAML"),
        ("a: &x 1\nb: *x", "data_import.mapping", "aliases are not allowed"),
        ("a: 1\na: 2", "data_import.mapping", "'a' stands here twice"),
        ("? [a]\n: 1", "data_import.mapping", "a key is one word"),
        ("version: !!python/object/apply:os.system ['true']", "data_import.mapping", "this is no YAML"),
        ('a: "\\0"', "data_import.mapping", "no such character"),
        ('a: "\\ud800"', "data_import.mapping", "no such character"),
        (fields_with(energy_kwh={"column": "kWh", "scale": float("inf")}), "data_import.mapping.loads.0", "finite"),
        ("[" * 5000, "data_import.mapping", "this is no YAML"),
        (load_with(dataset="nonsense"), "data_import.mapping.loads.0", "dataset is one of production"),
        (load_with(file="other.csv"), "data_import.mapping", "loads.0 reads other.csv"),
        (load_with(key=["lot"]), "data_import.mapping.loads.0", "key names lot"),
        (load_with(fields={}), "data_import.mapping.loads.0", "fields.started_at is missing"),
        (fields_with(colour={"column": "kWh"}), "data_import.mapping.loads.0", "energy has no field colour"),
        (fields_with(energy_kwh={"column": "kWh", "sum": ["a"]}), "data_import.mapping.loads.0", "exactly one of"),
        (fields_with(started_at={"columns": ["date"]}), "data_import.mapping.loads.0", "columns need formats"),
        (
            fields_with(started_at={"columns": ["date"], "formats": ["%Y-%m-%d %p"]}),
            "data_import.mapping.loads.0",
            "%p is none of",
        ),
        (
            fields_with(started_at={"columns": ["date"], "formats": ["%H:%M"]}),
            "data_import.mapping.loads.0",
            "needs %Y, %m and %d",
        ),
        (
            fields_with(started_at={"field": "ended_at"}, ended_at={"field": "started_at"}),
            "data_import.mapping.loads.0",
            "in a circle",
        ),
        (document({**BASE, "time_zone": "Mars/Base"}), "data_import.mapping.plant.time_zone", "no IANA time zone"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(text: str, field: str, part: str) -> None:
    found = faults(text)
    assert found[0][0] == field
    assert part in found[0][1]


def test_a_line_of_ten_megabytes_costs_itself() -> None:
    case = {**BASE, "files": {"meter.csv": f"date,kWh\n{'9' * 10_000_000}\n2024-01-01 00:00,1\n"}}
    batch, report = read(case)
    assert [(row.line, row.reason) for row in report.rejected_rows] == [
        (2, "is 10,000,000 bytes long; a row has at most 65,536")
    ]
    assert len(batch.rows["energy"]) == 1


def test_a_file_of_nothing_but_quotes_is_read_in_time() -> None:
    case = {**BASE, "files": {"meter.csv": "date,kWh\n" + '"\n' * 20_001}}
    _, report = read(case)
    assert report.read > 0


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("date,kWh\n" + "\n" * 500_000, "more than 500,000 lines"),
        ("date,kWh" + "".join(f",c{i}" for i in range(999)), "more than 1,000 columns"),
        ("date,date\n", "two columns of the header have the same name"),
        ("\n\n  \n", "meter.csv is empty"),
    ],
    ids=["lines", "columns", "names", "blank"],
)
def test_a_file_that_cannot_be_read_as_a_whole(content: str, part: str) -> None:
    with pytest.raises(Invalid) as refused:
        read({**BASE, "files": {"meter.csv": content}})
    assert refused.value.reason is Reason.IMPORT_REJECTED
    assert part in refused.value.violations[0].description


def test_a_reason_quotes_at_most_a_hundred_characters() -> None:
    case = {**BASE, "files": {"meter.csv": f"date,kWh\n2024-01-01 00:00,{'x' * 5000}\n"}}
    _, report = read(case)
    assert len(report.rejected_rows[0].reason) < 130


def test_only_the_first_thousand_rejected_rows_are_kept_and_all_are_counted() -> None:
    case = {**BASE, "files": {"meter.csv": "date,kWh\n" + "2024-01-01 00:00,x\n" * 1500}}
    _, report = read(case)
    assert (report.rejected, len(report.rejected_rows)) == (1500, 1000)
