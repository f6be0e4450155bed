"""Classification and catalogue become a plan, or a plain word on what is lacking."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.errors import Invalid, Reason
from services.orchestrator import wiring
from services.orchestrator.domain import checker, grounding, planner
from services.orchestrator.domain.grounding import Lack
from services.orchestrator.domain.meaning import Route, Target
from services.orchestrator.domain.plan import Definition, JudgmentKind, JudgmentTask, Node, NodeKind, Plan, Query
from services.orchestrator.domain.plant import Dimension, Grain
from tests.support.orchestrator import PLANTS, at, classification, sample, window

CASES = Path(__file__).parents[2] / "cases" / "orchestrator" / "01_plans.yaml"
DOCUMENT = yaml.safe_load(CASES.read_text(encoding="utf-8"))
TEMPLATES = wiring.templates()
AS_OF = at("2026-11-20T15:30")


@pytest.mark.parametrize("case", DOCUMENT["cases"], ids=lambda case: case["name"])
def test_plan(case: dict[str, Any]) -> None:
    catalog = PLANTS[case["plant"]]()
    meaning = classification(case["classification"])
    scope = grounding.ground(meaning.intent, meaning.slots, catalog, AS_OF, TEMPLATES.main_metrics)
    if "lack" in case:
        assert isinstance(scope, Lack)
        assert scope.want == case["lack"]
        return
    assert not isinstance(scope, Lack)
    template = TEMPLATES.of(scope.template)
    plan = planner.make(template, scope)
    checker.admit(plan, template.route, catalog)
    assert plan.definition is not None
    query = plan.definition.nodes[0].query
    assert query is not None
    task = next((node.task for node in plan.definition.nodes if node.task), None)
    got: dict[str, object] = {
        "template": plan.template,
        "metrics": list(query.metrics),
        "targets": [target.name for target in query.targets],
        "windows": [
            f"{catalog.local(each.start):%Y-%m-%dT%H:%M}/{catalog.local(each.end):%Y-%m-%dT%H:%M}"
            for each in query.windows
        ],
        "group_by": [each.value for each in query.group_by],
        "grain": query.grain.value,
        "order_by": query.order_by,
        "descending": query.descending,
        "top_n": task.top_n if task else 0,
        "moved": scope.moved,
    }
    expected = {key: value for key, value in case.items() if key not in {"name", "plant", "classification"}}
    assert {key: got[key] for key in expected} == expected


FIGURES = Node("figures", NodeKind.DATA, query=Query(("oee",), (window("2026-11-19/2026-11-20"),)))
FACTS = Node("facts", NodeKind.CODE, ("figures",), template="check_facts")
JUDGE = Node("judge", NodeKind.JUDGMENT, ("figures",), task=JudgmentTask(JudgmentKind.RANKING, "oee"))


def faults(*nodes: Node, edges: tuple[tuple[str, str], ...], route: Route = Route.DATA_LAYER) -> set[str]:
    title = TEMPLATES.of(next(iter(TEMPLATES.by_intent))).title.localized()
    plan = Plan("test@1", title, Definition("test", 1, title, nodes, edges))
    return {fault.rule for fault in checker.faults(plan, route, sample())}


def data(query: Query) -> Node:
    return Node("figures", NodeKind.DATA, query=query)


DAY = (window("2026-11-19/2026-11-20"),)
EDGE = (("figures", "facts"),)


def test_a_sound_plan_passes() -> None:
    assert faults(FIGURES, FACTS, edges=EDGE) == set()


@pytest.mark.parametrize(
    ("nodes", "edges", "route", "rule"),
    [
        ((FIGURES, FACTS), (*EDGE, ("facts", "figures")), Route.DATA_LAYER, "plan.acyclic"),
        ((FIGURES, FIGURES), (), Route.DATA_LAYER, "plan.ids"),
        ((FIGURES, FACTS), (("figures", "nowhere"),), Route.DATA_LAYER, "plan.edges"),
        ((FIGURES, FACTS), (), Route.DATA_LAYER, "plan.inputs"),
        ((FACTS,), (), Route.DATA_LAYER, "plan.reachable"),
        ((FIGURES, JUDGE), (("figures", "judge"),), Route.DATA_LAYER, "plan.route"),
        ((FIGURES, FACTS), EDGE, Route.DIRECT_RESPONSE, "plan.route"),
        (
            (FIGURES, Node("facts", NodeKind.CODE, ("figures",), template="rm_rf")),
            EDGE,
            Route.DATA_LAYER,
            "plan.config",
        ),
        ((), (), Route.DATA_LAYER, "plan.nodes"),
        ((data(Query(("humidity",), DAY)),), (), Route.DATA_LAYER, "plan.metric_exists"),
        ((data(Query(("energy",), DAY, group_by=(Dimension.LOT,))),), (), Route.DATA_LAYER, "plan.dimension_exists"),
        ((data(Query(("oee",), DAY, (Target("line:L99"),))),), (), Route.DATA_LAYER, "plan.target_exists"),
        ((data(Query((), DAY)),), (), Route.DATA_LAYER, "plan.metrics"),
        ((data(Query(("oee",), ())),), (), Route.DATA_LAYER, "plan.windows"),
        ((data(Query(("oee",), (window("2026-11-20/2026-11-19"),))),), (), Route.DATA_LAYER, "plan.windows"),
    ],
)
def test_the_checker_names_the_fault(
    nodes: tuple[Node, ...], edges: tuple[tuple[str, str], ...], route: Route, rule: str
) -> None:
    assert rule in faults(*nodes, edges=edges, route=route)


def test_the_checker_bounds_the_cost() -> None:
    year = (window("2025-11-19/2026-11-20"),)
    split = (Dimension.EQUIPMENT,)
    costly = data(Query(("oee",), year, group_by=split, grain=Grain.QUARTER_HOUR))
    assert "plan.cost" in faults(costly, edges=())
    assert faults(data(Query(("oee",), year, group_by=split, grain=Grain.WEEK)), edges=()) == set()


def test_a_plan_has_at_most_32_nodes() -> None:
    many = tuple(Node(f"n{place}", NodeKind.DATA, query=FIGURES.query) for place in range(33))
    assert "plan.nodes" in faults(*many, edges=())


def test_a_refused_plan_is_a_typed_error() -> None:
    title = TEMPLATES.of(next(iter(TEMPLATES.by_intent))).title.localized()
    plan = Plan("test@1", title, Definition("test", 1, title, (), ()))
    with pytest.raises(Invalid) as refused:
        checker.admit(plan, Route.DATA_LAYER, sample())
    assert refused.value.reason is Reason.INVALID_PLAN
    assert refused.value.violations


def test_the_planner_widens_buckets_that_would_be_too_many() -> None:
    meaning = classification(
        {
            "intent": "TREND",
            "slots": [
                {"metric": "oee"},
                {"grain": "hour"},
                {"group_by": "equipment"},
                {"period": "x", "in": "2026-08-22/2026-11-20"},
            ],
        }
    )
    scope = grounding.ground(meaning.intent, meaning.slots, sample(), AS_OF, TEMPLATES.main_metrics)
    assert not isinstance(scope, Lack)
    assert scope.grain is Grain.DAY
    assert scope.coarsened


def test_a_day_that_gave_nothing_widens_to_the_last_week_unless_somebody_said_it() -> None:
    def scope(origin: str) -> grounding.Scope:
        period = {"period": "today", "in": "2026-11-20/2026-11-21", "origin": origin}
        meaning = classification({"intent": "CHECK", "slots": [{"metric": "oee"}, period]})
        found = grounding.ground(meaning.intent, meaning.slots, sample(), AS_OF, TEMPLATES.main_metrics)
        assert not isinstance(found, Lack)
        return found

    wider = grounding.widened(scope("DEFAULT"))
    assert wider is not None
    assert (wider.window.start, wider.window.end) == (at("2026-11-14"), at("2026-11-21"))
    assert wider.moved
    assert grounding.widened(wider) is None
    assert grounding.widened(scope("STATED")) is None
