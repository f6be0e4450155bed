"""Whatever happens in whatever order, the core keeps its rules: by seed, on a virtual clock."""

from collections import Counter

from services.workflow.domain.advance import advance, fold
from services.workflow.domain.conditions import Conditions
from services.workflow.domain.graph import order, surely_done
from services.workflow.domain.states import NodeState, RunState
from services.workflow.domain.validator import Kind, validate
from tests.unit.workflow.simulator import Simulation

SEEDS = 10_000
REPLAYED = 400


def test_no_run_breaks_a_rule() -> None:
    ends = Counter(Simulation(seed).run().progress.state for seed in range(SEEDS))
    assert set(ends) == {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.TIMED_OUT}
    assert min(ends.values()) > SEEDS / 100, "the seeds reach each end often"


def test_a_history_repeats_itself() -> None:
    for seed in range(REPLAYED):
        simulation = Simulation(seed).run()
        for i, event in enumerate(simulation.history):
            assert advance(simulation.definition, simulation.history[:i], event) == simulation.decided[i]
        assert fold(simulation.definition, simulation.history) == simulation.progress


def test_equal_seeds_are_equal_runs() -> None:
    assert Simulation(7).run().history == Simulation(7).run().history


def test_what_is_surely_done_was_done() -> None:
    """The validator's promise to readers of earlier outputs, held against what runs do."""
    for seed in range(REPLAYED):
        simulation = Simulation(seed).run()
        definition = simulation.definition
        sure = surely_done(definition, order(definition))
        for node_id, node in simulation.progress.nodes.items():
            if node.state is NodeState.SUCCEEDED:
                for source in sure[node_id]:
                    assert simulation.progress.nodes[source].state is NodeState.SUCCEEDED


def test_simulated_graphs_are_valid_in_shape() -> None:
    for seed in range(100):
        faults = validate(Simulation(seed).definition, Conditions())
        assert [fault for fault in faults if fault.field.startswith("edges") or fault.kind is Kind.NOT_SERVED] == []
        assert not any("start" in fault.description or "orphan" in fault.description for fault in faults)
