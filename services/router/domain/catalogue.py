"""What the router knows of a plant: names, aliases, shifts and zone, as the data service publishes them."""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from services.router.domain.model import Text


class Better(StrEnum):
    """Which way of a metric is good."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of the plant. `dimensions` are the kinds it can be split by: `line`, `equipment` ..."""

    id: str
    display: Text
    aliases: tuple[str, ...] = ()
    better: Better = Better.NEITHER
    dimensions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """A target of the plant: `name` is `kind:id`, `parent` the target it belongs to or empty."""

    name: str
    display: Text
    aliases: tuple[str, ...] = ()
    parent: str = ""

    @property
    def kind(self) -> str:
        """Return `line` of `line:L03`."""
        return self.name.partition(":")[0]

    @property
    def id(self) -> str:
        """Return `L03` of `line:L03`."""
        return self.name.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Shift:
    """A working period of each day, in local time; one that ends before it starts belongs to its start day."""

    id: str
    display: Text
    start: time
    end: time
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be asked of one plant. An empty one (`version == ""`) stands for a plant not known yet."""

    plant: str
    version: str = ""
    time_zone: str = "Asia/Seoul"
    metrics: tuple[Metric, ...] = ()
    targets: tuple[Entry, ...] = ()
    shifts: tuple[Shift, ...] = ()

    @property
    def known(self) -> bool:
        """Say whether the data service ever answered for this plant."""
        return bool(self.version)
