"""What the sample plant is made of, as `sample_plant.yaml` says it."""

from datetime import date

import yaml
from pydantic import BaseModel, ConfigDict, Field

from services.data.domain.mapping import PlantModel, TargetModel


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Machine(_Model):
    """A machine: `defect_rate` is a fraction when nothing is wrong."""

    id: str
    line: str
    process: str
    defect_rate: float
    sensors: list[str]


class Product(_Model):
    """A product: seconds a piece at best, pieces used a day, stock in days of use."""

    id: str
    ideal_cycle_s: float
    daily_use: float
    stock_days: float


class Stop(_Model):
    """A reason to stop: how often among all, and how many minutes it lasts."""

    reason: str
    weight: float
    shortest: float
    longest: float


class Defect(_Model):
    """A reason of defects: how often among all."""

    reason: str
    weight: float


class Cause(_Model):
    """Something wrong on purpose. `from` and `until` count days before the anchor's day; it ramps up linearly."""

    id: str
    start: float = Field(alias="from")
    until: float | None = None
    ramp_days: float = 0
    line: str = ""
    equipment: str = ""
    shift: str = ""
    product: str = ""
    reason: str = ""
    stop_reason: str = ""
    defect_factor: float = 1
    stop_factor: float = 1
    speed: float = 1
    vibration: float = 0
    temperature: float = 0
    energy_kwh: float = 0
    stock_days: float | None = None

    def strength(self, day: date, fraction: float, anchor: date) -> float:
        """Return how strong it is, 0 to 1, on a local day of which `fraction` has passed."""
        since = (day - anchor).days + fraction + self.start
        if since < 0 or (self.until is not None and since >= self.start - self.until):
            return 0.0
        return min(1.0, since / self.ramp_days) if self.ramp_days else 1.0

    def touches(self, line: str, equipment: str, shift: str) -> bool:
        """Say whether a machine in a shift is affected."""
        return (
            not self.product
            and self.line in {"", line}
            and self.equipment in {"", equipment}
            and self.shift in {"", shift}
        )


class SampleModel(_Model):
    """The whole document."""

    plant: PlantModel
    targets: list[TargetModel]
    machines: list[Machine]
    products: list[Product]
    stops: list[Stop]
    defects: list[Defect]
    causes: list[Cause]


def parse(text: str) -> SampleModel:
    """Read the description. Raises ValueError where it is wrong: a fault of ours."""
    return SampleModel.model_validate(yaml.safe_load(text))
