"""A mapping: the YAML document that says how published files become rows of a plant. See docs/import.md.

Reading one checks everything that can be known without the files and names every fault with its path.
"""

import graphlib
from collections.abc import Hashable
from datetime import time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from services.data.domain import wall_time
from services.data.domain.datasets import DATASETS, Dataset
from services.data.domain.plant import Dimension, Plant, Shift, Tag, Target, TargetEntry, Text
from services.errors import FieldViolation, Invalid, Reason

_PATH = "data_import.mapping"
_MAX_VIOLATIONS = 50


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Name(_Model):
    """A name in both languages."""

    ko: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)

    def text(self) -> Text:
        """Return it as the domain has it."""
        return Text(self.ko, self.en)


Aliases = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=50)]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class ShiftModel(_Model):
    """A shift; `end` at or before `start` crosses midnight."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    name: Name
    start: Clock
    end: Clock
    aliases: Aliases = []

    def shift(self) -> Shift:
        """Return it as the domain has it."""
        start, end = time.fromisoformat(self.start), time.fromisoformat(self.end)
        return Shift(self.id, self.name.text(), start, end, tuple(self.aliases))


class TagModel(_Model):
    """A sensor tag of the plant's own; it becomes a metric of that name."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    name: Name
    unit: str = Field(default="", max_length=32)
    aliases: Aliases = []


class PlantModel(_Model):
    """The plant that the files fill."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    name: Name
    time_zone: str
    shifts: list[ShiftModel] = Field(default=[], max_length=10)
    attribution: str = Field(default="", max_length=1000)
    goals: dict[str, float] = {}
    tags: list[TagModel] = Field(default=[], max_length=500)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no IANA time zone, such as Asia/Seoul") from None
        return value

    def plant(self) -> Plant:
        """Return it as the domain has it."""
        return Plant(
            id=self.id,
            name=self.name.text(),
            zone=ZoneInfo(self.time_zone),
            shifts=tuple(shift.shift() for shift in self.shifts),
            attribution=self.attribution,
            goals=self.goals,
            tags=tuple(Tag(tag.id, tag.name.text(), tag.unit, tuple(tag.aliases)) for tag in self.tags),
        )


class TargetModel(_Model):
    """A thing of the plant by name. `parent` reads `line:L01`."""

    kind: Dimension
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")
    name: Name
    aliases: Aliases = []
    parent: str = Field(default="", max_length=80)

    def entry(self) -> TargetEntry:
        """Return it as the domain has it."""
        return TargetEntry(Target(self.kind, self.id), self.name.text(), tuple(self.aliases), self.parent)


class FileModel(_Model):
    """A file: how its lines become cells. `skip`: rows whose cells read exactly so are passed over."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    separator: Literal[",", ";", "|", "\t"] = ","
    skip: dict[str, str] = {}


class JoinModel(_Model):
    """Adds the columns of another file's row that has the same value in column `by`."""

    file: str
    by: str


class UnpivotModel(_Model):
    """Turns a wide row into one row for each filled cell of `columns`: column name and value under new names."""

    columns: list[str] = Field(min_length=1, max_length=500)
    name: str = Field(min_length=1)
    value: str = Field(min_length=1)


class TimeField(_Model):
    """An instant: cells of `columns` joined by a space and read by the first of `formats` that fits, as local time.

    `midnight: end_of_day`: 0:00 means 24:00 of the printed date. `after`: where it is not later than that field, it
    is on the next day. Or `field` and `minutes`: another instant, moved.
    """

    columns: list[str] = []
    formats: list[str] = []
    midnight: Literal["start_of_day", "end_of_day"] = "start_of_day"
    after: str = ""
    field: str = ""
    minutes: float = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> "TimeField":
        if bool(self.columns) == bool(self.field):
            raise ValueError("give either columns with formats, or field with minutes")
        if self.columns and not self.formats:
            raise ValueError("columns need formats")
        for each in self.formats:
            wall_time.compile_format(each)
        return self


class TextField(_Model):
    """A name: `constant`, or the cell of `column`, through `values` where given, in lower case if `case` says so."""

    column: str = ""
    constant: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,62})?$")
    values: dict[str, str] = {}
    case: Literal["as_is", "lower"] = "as_is"
    optional: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "TextField":
        if bool(self.column) == bool(self.constant):
            raise ValueError("give either column or constant")
        return self


class NumberField(_Model):
    """A number: the cell of `column` times `scale`; or the `sum` or `count` of the filled cells of columns.

    Or from other fields of the row: the `minutes` between two instants, or the `difference` of two numbers.
    """

    column: str = ""
    sum: list[str] = []
    count: list[str] = []
    minutes: list[str] = Field(default=[], max_length=2)
    difference: list[str] = Field(default=[], max_length=2)
    scale: float = 1.0
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "NumberField":
        if sum(map(bool, (self.column, self.sum, self.count, self.minutes, self.difference))) != 1:
            raise ValueError("give exactly one of column, sum, count, minutes, difference")
        if any(len(pair) == 1 for pair in (self.minutes, self.difference)):
            raise ValueError("minutes and difference take two fields")
        return self


AnyField = TimeField | TextField | NumberField
_FIELD = {kind: TypeAdapter(kind) for kind in (TimeField, TextField, NumberField)}
_TIMES = ("started_at", "ended_at")


class LoadModel(_Model):
    """Rows of one data set out of one file. `key`: the fields that make a row the same row as an earlier one."""

    dataset: str
    file: str
    join: list[JoinModel] = Field(default=[], max_length=5)
    unpivot: UnpivotModel | None = None
    key: list[str] = Field(min_length=1)
    fields: dict[str, AnyField]

    @model_validator(mode="before")
    @classmethod
    def _fields_by_column(cls, data: Any) -> Any:
        # What a field may say depends on the column it fills, so each is read as what its column wants.
        if not isinstance(data, dict) or not isinstance(data.get("fields"), dict):
            return data
        dataset = DATASETS.get(str(data.get("dataset")))
        if dataset is None:
            raise ValueError(f"dataset is one of {', '.join(DATASETS)}")
        fields = {str(name): _field(dataset, str(name), each) for name, each in data["fields"].items()}
        return {**data, "fields": fields}

    @model_validator(mode="after")
    def _consistent(self) -> "LoadModel":
        dataset = self.of
        if "started_at" not in self.fields:
            raise ValueError("fields.started_at is missing")
        if dataset.tagged and "tag" not in self.fields:
            raise ValueError(f"fields.tag is missing: {dataset.name} holds many quantities")
        if not set(dataset.measures) & set(self.fields):
            raise ValueError(f"no measure is filled; {dataset.name} has {', '.join(dataset.measures)}")
        for name in self.key:
            if name not in self.fields:
                raise ValueError(f"key names {name}, which is no field here")
        for name, field in self.fields.items():
            for other in _references(field):
                if other not in self.fields:
                    raise ValueError(f"fields.{name} refers to {other}, which is no field here")
        try:
            _ = self.order
        except graphlib.CycleError as circle:
            raise ValueError(f"fields refer to each other in a circle: {', '.join(circle.args[1])}") from None
        return self

    @property
    def order(self) -> list[str]:
        """The fields, each after those that it refers to."""
        graph = {name: _references(field) for name, field in self.fields.items()}
        return list(graphlib.TopologicalSorter(graph).static_order())

    @property
    def of(self) -> Dataset:
        """The data set that it fills."""
        return DATASETS[self.dataset]


def _field(dataset: Dataset, name: str, data: Any) -> Any:
    if isinstance(data, AnyField):
        return data
    if name in _TIMES:
        kind: type[AnyField] = TimeField
    elif name in dataset.measures:
        kind = NumberField
    elif name in {*dataset.texts, *(each.value for each in dataset.dimensions)}:
        kind = TextField
    else:
        known = ", ".join((*_TIMES, *dataset.dimensions, *dataset.texts, *dataset.measures))
        raise ValueError(f"{dataset.name} has no field {name}; it has {known}")
    try:
        return _FIELD[kind].validate_python(data)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        where = ".".join(["fields", name, *map(str, first["loc"])])
        raise ValueError(f"{where}: {first['msg']}") from None


def columns_of(field: AnyField) -> list[str]:
    """Return the columns of the file that a field reads."""
    match field:
        case TimeField():
            return field.columns
        case TextField():
            return [field.column] if field.column else []
        case NumberField():
            return [*([field.column] if field.column else []), *field.sum, *field.count]


def _references(field: AnyField) -> list[str]:
    match field:
        case TimeField():
            return [each for each in (field.field, field.after) if each]
        case NumberField():
            return [*field.minutes, *field.difference]
        case TextField():
            return []


class Mapping(_Model):
    """The whole document."""

    version: Literal[1]
    plant: PlantModel
    targets: list[TargetModel] = Field(default=[], max_length=10_000)
    files: list[FileModel] = Field(min_length=1, max_length=20)
    # May come along and are not read; say in a comment why.
    ignored_files: list[str] = Field(default=[], max_length=20)
    loads: list[LoadModel] = Field(min_length=1, max_length=20)

    @model_validator(mode="after")
    def _files_named(self) -> "Mapping":
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name")
        for i, load in enumerate(self.loads):
            for name in (load.file, *(join.file for join in load.join)):
                if name not in names:
                    raise ValueError(f"loads.{i} reads {name}, which is not among the files")
        return self


class _Loader(yaml.SafeLoader):
    """YAML without aliases, whose expansion has no bound, and without keys that silently win over earlier ones."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", None)
        return super().compose_node(parent, index)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        # Escapes can spell what neither PostgreSQL nor Protobuf can hold.
        if isinstance(node, yaml.ScalarNode) and any(
            letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in node.value
        ):
            raise yaml.constructor.ConstructorError(None, None, "a text holds no such character", node.start_mark)
        return super().construct_scalar(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's shape
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is one word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(text: str) -> Mapping:
    """Read a mapping. Raises Invalid (IMPORT_REJECTED) that names every fault with its path."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader, stricter
    except (yaml.YAMLError, RecursionError, ValueError) as wrong:
        raise _rejected([(_PATH, f"this is no YAML: {_one_line(wrong)}")]) from None
    try:
        return Mapping.model_validate(document)
    except ValidationError as wrong:
        faults = wrong.errors(include_url=False, include_input=False, include_context=False)
        raise _rejected(
            [(".".join([_PATH, *map(str, each["loc"])]), each["msg"].removeprefix("Value error, ")) for each in faults]
        ) from None


def _rejected(faults: list[tuple[str, str]]) -> Invalid:
    violations = tuple(FieldViolation(path, what, "import.mapping") for path, what in faults[:_MAX_VIOLATIONS])
    return Invalid(
        f"the mapping does not validate: {faults[0][0]}: {faults[0][1]}", Reason.IMPORT_REJECTED, {}, violations
    )


def _one_line(failure: Exception) -> str:
    return " ".join(str(failure).split())[:300] or type(failure).__name__
