"""Runs as metrics and log lines, told from the record of each run: nothing is measured twice."""

import structlog

from services.chassis.metrics import Metrics
from services.workflow.domain.runs import Run
from services.workflow.domain.states import NodeState

log = structlog.get_logger(__name__)


class Telemetry:
    """A RunObserver."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def began(self) -> None:
        """Count a run as under way."""
        self._metrics.workflow_instances_active.inc()

    def ended(self, run: Run) -> None:
        """Count a recorded run with its nodes."""
        self._metrics.workflow_instances_active.dec()
        self._metrics.workflow_instances.labels(run.state.value).inc()
        if run.ended is not None:
            seconds = (run.ended - run.created).total_seconds()
            self._metrics.workflow_duration.labels(run.state.value).observe(seconds)
        for result in run.results:
            if result.started is not None and result.ended is not None:
                seconds = (result.ended - result.started).total_seconds()
                self._metrics.workflow_node_duration.labels(result.kind.value).observe(seconds)
            if result.state is NodeState.FAILED and result.failure is not None:
                self._metrics.workflow_node_failures.labels(result.kind.value, result.failure.reason.value).inc()

    def lost(self, run_id: str, error: Exception) -> None:
        """Log a run that left no record."""
        self._metrics.workflow_instances_active.dec()
        log.warning("run not recorded", run=run_id, error=type(error).__name__, why=str(error))
