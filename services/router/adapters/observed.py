"""Counts and times classifications."""

from services.chassis.clock import Clock
from services.chassis.metrics import Metrics
from services.errors import FactoryError
from services.router.domain.model import Classification, Question, Source
from services.router.domain.router import Classifies

_METHODS = {Source.DIALOGUE: "rule", Source.RULE: "rule"}


class Observed:
    """A `Classifies` that reports to the metrics what another one does."""

    def __init__(self, inner: Classifies, metrics: Metrics, clock: Clock) -> None:
        self._inner = inner
        self._metrics = metrics
        self._clock = clock

    async def classify(self, tenant: str, plant: str, question: Question) -> Classification:
        """Return the meaning that the inner one finds."""
        began = self._clock.monotonic()
        try:
            found = await self._inner.classify(tenant, plant, question)
        except FactoryError as failure:
            self._metrics.intent_errors.labels(failure.reason.value).inc()
            raise
        finally:
            seconds = self._clock.monotonic() - began
            self._metrics.intent_request_latency_ms.observe(seconds * 1000)
            self._metrics.intent_classification_latency.observe(seconds)
        self._metrics.intent_requests.labels(found.intent.value, _METHODS[found.source]).inc()
        self._metrics.intent_confidence.observe(found.confidence)
        return found
