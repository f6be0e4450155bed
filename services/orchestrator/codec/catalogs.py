"""The catalogue of a plant."""

from factoryai.data.v1 import metric_pb2, plant_pb2

from services.orchestrator.codec import enums, values
from services.orchestrator.domain.plant import Catalog, Metric, Plant, Shift


def catalog(message: plant_pb2.Catalog) -> Catalog:
    """Read a catalogue."""
    return Catalog(
        plant=_plant(message.plant),
        version=message.version,
        metrics=tuple(_metric(each) for each in message.metrics),
        targets=tuple(values.target(each.target) for each in message.targets),
        unavailable_metrics=tuple(message.unavailable_metrics),
        coverage=values.window(message.coverage) if message.HasField("coverage") else None,
        parents={each.target.name: each.parent for each in message.targets if each.parent},
    )


def _plant(message: plant_pb2.Plant) -> Plant:
    return Plant(
        id=message.name.removeprefix("plants/"),
        display=values.text(message.display_name),
        time_zone=message.time_zone or "Asia/Seoul",
        shifts=tuple(_shift(each) for each in message.shifts),
        synthetic=message.synthetic,
    )


def _shift(message: plant_pb2.Shift) -> Shift:
    return Shift(message.id, values.text(message.display_name), message.start, message.end, tuple(message.aliases))


def _metric(message: metric_pb2.Metric) -> Metric:
    return Metric(
        id=message.id,
        display=values.text(message.display_name),
        aliases=tuple(message.aliases),
        unit=message.unit,
        direction=enums.DIRECTION.decode(message.direction),
        aggregation=enums.AGGREGATION.decode(message.aggregation),
        formula=message.formula,
        dataset=message.dataset,
        dimensions=tuple(enums.DIMENSION.decode(each) for each in message.dimensions),
        target=message.target_value if message.HasField("target_value") else None,
        coverage=values.window(message.coverage) if message.HasField("coverage") else None,
        finest_grain=enums.GRAIN.decode(message.finest_grain),
    )
