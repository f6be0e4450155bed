"""The plant model: zone, shifts, and the things in it by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

# As `Target.name` in target.proto, after the kind.
TARGET_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
MAX_TARGETS = 50_000


class Dimension(StrEnum):
    """What data can be split and filtered by; the value is the column's name and the kind of a target."""

    LINE = "line"
    EQUIPMENT = "equipment"
    PROCESS = "process"
    PRODUCT = "product"
    LOT = "lot"
    OPERATOR = "operator"
    SHIFT = "shift"
    REASON = "reason"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in both languages."""

    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A working period of each day, in local time. One that ends before it starts crosses midnight."""

    id: str
    name: Text
    start: time
    end: time
    aliases: tuple[str, ...] = ()

    @property
    def crosses_midnight(self) -> bool:
        """Whether it ends on the day after the one that it belongs to."""
        return self.end <= self.start


@dataclass(frozen=True, slots=True)
class Tag:
    """A sensor tag of the plant's own, for which the engine has no metric yet: it becomes one."""

    id: str
    name: Text
    unit: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plant:
    """A plant. `goals` are target values by metric id; `attribution` is empty for the tenant's own data."""

    id: str
    name: Text
    zone: ZoneInfo
    shifts: tuple[Shift, ...] = ()
    synthetic: bool = False
    attribution: str = ""
    goals: Mapping[str, float] = field(default_factory=dict)
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One thing in a plant; reads `line:L03`."""

    kind: Dimension
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class TargetEntry:
    """A target with everything that it is called. `parent` is the target it belongs to, as `line:L03`, or empty.

    `name` is None where nobody named it: a lot is only its number.
    """

    target: Target
    name: Text | None = None
    aliases: tuple[str, ...] = ()
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open period: start <= t < end. Both are aware, in UTC."""

    start: datetime
    end: datetime
