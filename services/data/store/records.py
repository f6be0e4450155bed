"""Domain values to and from the columns of the tables. jsonb travels as text."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from services.data.domain.catalogue import Facts
from services.data.domain.imports import Counts, DataImport, ImportFile, ImportState, RejectedRow, Report
from services.data.domain.plant import Dimension, Plant, Shift, Tag, Target, TargetEntry, Text

Record = Mapping[str, Any]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def plant_columns(plant: Plant) -> tuple[object, ...]:
    """Return a plant in the order of `put_plant`, from `plant` on."""
    shifts = [
        [each.id, each.name.ko, each.name.en, each.start.isoformat(), each.end.isoformat(), list(each.aliases)]
        for each in plant.shifts
    ]
    tags = [[each.id, each.name.ko, each.name.en, each.unit, list(each.aliases)] for each in plant.tags]
    return (
        plant.id,
        plant.name.ko,
        plant.name.en,
        plant.zone.key,
        _json(shifts),
        _json(tags),
        _json(dict(plant.goals)),
        plant.synthetic,
        plant.attribution,
    )


def plant(record: Record) -> Plant:
    """Read a plant."""
    return Plant(
        id=record["plant"],
        name=Text(record["name_ko"], record["name_en"]),
        zone=ZoneInfo(record["time_zone"]),
        shifts=tuple(
            Shift(each, Text(ko, en), time.fromisoformat(start), time.fromisoformat(end), tuple(aliases))
            for each, ko, en, start, end, aliases in orjson.loads(record["shifts"])
        ),
        tags=tuple(
            Tag(each, Text(ko, en), unit, tuple(aliases))
            for each, ko, en, unit, aliases in orjson.loads(record["tags"])
        ),
        goals=orjson.loads(record["goals"]),
        synthetic=record["synthetic"],
        attribution=record["attribution"],
    )


def facts_column(facts: Sequence[Facts]) -> str:
    """Return facts as jsonb."""
    return _json(
        [
            [f.dataset, f.tag, f.row_count, f.first, f.last, f.longest.total_seconds(), sorted(f.filled)]
            for f in sorted(facts, key=lambda each: (each.dataset, each.tag))
        ]
    )


def facts(column: str) -> tuple[Facts, ...]:
    """Read facts."""
    return tuple(
        Facts(
            dataset,
            tag,
            row_count,
            datetime.fromisoformat(first),
            datetime.fromisoformat(last),
            timedelta(seconds=longest),
            frozenset(filled),
        )
        for dataset, tag, row_count, first, last, longest, filled in orjson.loads(column)
    )


def targets_column(entries: Sequence[TargetEntry]) -> str:
    """Return targets as jsonb, for `put_targets`."""
    return _json(
        [
            {
                "kind": entry.target.kind.value,
                "id": entry.target.id,
                "name_ko": entry.name.ko if entry.name else None,
                "name_en": entry.name.en if entry.name else None,
                "aliases": list(entry.aliases),
                "parent": entry.parent,
            }
            for entry in entries
        ]
    )


def target(record: Record) -> TargetEntry:
    """Read a target."""
    name = Text(record["name_ko"], record["name_en"]) if record["name_ko"] is not None else None
    return TargetEntry(
        Target(Dimension(record["kind"]), record["id"]), name, tuple(record["aliases"]), record["parent"]
    )


def files_column(files: Sequence[ImportFile]) -> str:
    """Return announced files as jsonb."""
    return _json([[each.name, each.size, each.sha256] for each in files])


def rejected_column(rows: Sequence[RejectedRow]) -> str:
    """Return rejected rows as jsonb. PostgreSQL keeps no zero character in a text, so none may come this far."""
    return _json([[each.file, each.line, each.column, each.reason] for each in rows])


def data_import(record: Record) -> DataImport:
    """Read an import."""
    rejected = tuple(RejectedRow(*each) for each in orjson.loads(record["rejected_rows"]))
    return DataImport(
        id=record["id"],
        mapping=record["mapping"],
        files=tuple(ImportFile(*each) for each in orjson.loads(record["files"])),
        plant=record["plant"],
        state=ImportState(record["state"]),
        created_at=record["created_at"],
        ended_at=record["ended_at"],
        report=Report(record["read_count"], record["skipped_count"], record["rejected_count"], rejected),
        counts=Counts(record["inserted_count"], record["unchanged_count"], record["updated_count"]),
        failure=record["failure"],
    )
