"""catalog: which plants there are, and what can be asked of one."""

from typing import Annotated
from urllib.parse import quote

import typer
from factoryai.data.v1 import data_service_pb2, metric_pb2, plant_pb2
from factoryai.type.v1 import target_pb2, time_window_pb2
from rich import box
from rich.table import Table
from rich.text import Text

from services.cli.exit_codes import ExitCode
from services.cli.session import Session
from services.cli.views.table import NOTHING, localized, period
from services.cli.views.text import plain
from services.wording import format_value

_MAX_TARGETS = 12


def catalog(
    session: Session,
    plant: Annotated[str, typer.Argument(help="catalog.plant")] = "",
    *,
    every_target: Annotated[bool, typer.Option("--all", help="catalog.all")] = False,
) -> ExitCode:
    """List the plants, or show the metrics, dimensions, coverage and targets of one."""
    with session.connect() as rest:
        if not plant:
            plants = rest.get("/v1/plants", data_service_pb2.ListPlantsResponse, {"pageSize": "1000"})
            if session.shared.as_json:
                session.print_json(plants.json)
            else:
                _show_plants(session, list(plants.message.plants))
            return ExitCode.OK
        path = f"/v1/plants/{quote(plant.removeprefix('plants/'), safe='')}/catalog"
        reply = rest.get(path, data_service_pb2.GetCatalogResponse)
    if session.shared.as_json:
        session.print_json(reply.json)
    else:
        _show_catalog(session, reply.message.catalog, every_target=every_target)
    return ExitCode.OK


def _show_plants(session: Session, plants: list[plant_pb2.Plant]) -> None:
    words = session.words
    if not plants:
        session.say("catalog.no_plants")
        return
    view = _table(session, ("plant_heading", "name", "origin"))
    for each in plants:
        origin = words("catalog.synthetic") if each.synthetic else plain(each.attribution) or words("catalog.own")
        view.add_row(
            Text(each.name.removeprefix("plants/")),
            Text(localized(each.display_name, words.language)),
            Text(origin),
        )
    session.out.print(view)
    session.say("catalog.hint")


def _show_catalog(session: Session, found: plant_pb2.Catalog, *, every_target: bool) -> None:
    words, out = session.words, session.out
    plant = found.plant
    name = localized(plant.display_name, words.language)
    out.print(Text(f"{name} ({plant.name.removeprefix('plants/')})", style="bold"))
    if plant.synthetic:
        out.print(Text(words("catalog.synthetic")))
    if plant.attribution:
        out.print(Text(plain(plant.attribution)), soft_wrap=True)
    out.print(Text(words("catalog.coverage", period=period(found.coverage, words.language))))
    if plant.shifts:
        shifts = ", ".join(
            f"{localized(shift.display_name, words.language)} {shift.start}–{shift.end}" for shift in plant.shifts
        )
        out.print(Text(words("catalog.shifts", shifts=shifts)))
    out.print()
    out.print(_metrics(session, list(found.metrics)))
    if found.unavailable_metrics:
        out.print()
        out.print(Text(words("catalog.unavailable", metrics=", ".join(found.unavailable_metrics))), soft_wrap=True)
    if found.targets:
        out.print()
        out.print(_targets(session, list(found.targets), every_target=every_target))


def _metrics(session: Session, metrics: list[metric_pb2.Metric]) -> Table:
    words = session.words
    view = _table(session, ("metric", "name", "goal", "grain", "dimensions", "coverage_heading"))
    for each in metrics:
        goal = NOTHING
        if each.HasField("target_value"):
            goal = format_value(each.target_value, each.unit, words.language)
        dimensions = [_dimension(session, dimension) for dimension in each.dimensions]
        grain = time_window_pb2.TimeGrain.Name(each.finest_grain).removeprefix("TIME_GRAIN_")
        cells = (
            each.id,
            localized(each.display_name, words.language),
            goal,
            words(f"grain.{grain}"),
            ", ".join(dimensions) or NOTHING,
            period(each.coverage, words.language),
        )
        view.add_row(*(Text(cell) for cell in cells))
    return view


def _targets(session: Session, targets: list[plant_pb2.TargetEntry], *, every_target: bool) -> Table:
    words = session.words
    by_kind: dict[str, list[plant_pb2.TargetEntry]] = {}
    for each in targets:
        by_kind.setdefault(each.target.name.partition(":")[0], []).append(each)
    view = _table(session, ("kind", "count", "targets"))
    for kind, entries in by_kind.items():
        shown = entries if every_target else entries[:_MAX_TARGETS]
        names = ", ".join(_target(entry, session) for entry in shown)
        if len(shown) < len(entries):
            names += ", …"
        view.add_row(Text(words(f"dimension.{kind.upper()}")), Text(f"{len(entries):,}"), Text(names))
    return view


def _target(entry: plant_pb2.TargetEntry, session: Session) -> str:
    identity = entry.target.name.partition(":")[2]
    name = localized(entry.target.display_name, session.words.language)
    return f"{identity} {name}" if name and name != identity else identity


def _dimension(session: Session, dimension: "target_pb2.Dimension.ValueType") -> str:
    return session.words(f"dimension.{target_pb2.Dimension.Name(dimension).removeprefix('DIMENSION_')}")


def _table(session: Session, keys: tuple[str, ...]) -> Table:
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in keys:
        view.add_column(session.words(f"catalog.{key}"), overflow="fold")
    return view
