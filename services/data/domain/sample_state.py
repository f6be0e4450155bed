"""How far a generated plant is generated."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SampleState:
    """The seed, the hour from which the plant's injected causes are told, and the end of its rows."""

    seed: int
    anchor: datetime
    end: datetime
