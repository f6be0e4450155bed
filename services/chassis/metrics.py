"""Every metric of the product, by name. Autoscalers, alerts and dashboards read these names; a test ties them together.

Names follow OpenTelemetry's semantic conventions in Prometheus spelling where these have one (`rpc_server_*`,
`db_client_*`), and domain.md section 11 where it names one. Durations are histograms in seconds unless the name
says `_ms`. No label takes a value from a request: methods, codes and enum names only, so that series stay few.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SLOW = (0.05, 0.1, 0.25, 0.4, 0.8, 1.2, 1.5, 2.5, 4, 5, 8, 10, 15, 30, 60, 120)
MILLISECONDS = (1, 2.5, 5, 10, 25, 50, 100, 200, 300, 500, 1000, 1500, 3000)
RATIO = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The metrics of one process, in a registry of its own (a test makes as many as it likes)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._rpc()
        self._stores()
        self._router_and_orchestrator()
        self._judgment_and_rules()
        self._workflow_and_data()

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self.registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self.registry)

    def _histogram(self, name: str, says: str, *labels: str, buckets: tuple[float, ...] = FAST) -> Histogram:
        return Histogram(name, says, labels, buckets=buckets, registry=self.registry)

    def _rpc(self) -> None:
        self.rpc_server_duration = self._histogram(
            "rpc_server_duration_seconds",
            "Time to answer an RPC; its count by code is the number of requests",
            "rpc_service",
            "rpc_method",
            "rpc_grpc_status_code",
        )
        self.rpc_server_active = self._gauge(
            "rpc_server_active_requests", "RPCs being served", "rpc_service", "rpc_method"
        )
        self.rpc_server_refused = self._counter(
            "rpc_server_refused_total", "RPCs refused at once, by reason", "rpc_service", "reason"
        )
        self.rpc_client_duration = self._histogram(
            "rpc_client_duration_seconds",
            "Time of a call to a neighbour as its caller sees it",
            "rpc_service",
            "rpc_method",
            "rpc_grpc_status_code",
            "transport",
        )
        self.request_queue_length = self._gauge(
            "request_queue_length", "RPCs being served by a service; what D-1's autoscaler reads", "service"
        )
        self.service_ready = self._gauge("service_ready", "1 while the service is ready", "service")
        self.event_loop_lag = self._gauge("event_loop_lag_seconds", "How late the event loop ran its last tick")

    def _stores(self) -> None:
        self.db_connections = self._gauge("db_client_connections", "Connections of the pool", "service", "state")
        self.db_transaction_duration = self._histogram(
            "db_client_transaction_duration_seconds", "Time a transaction took", "service", "outcome"
        )
        self.db_up = self._gauge("db_up", "1 while the database answers", "service")
        self.cache_requests = self._counter("cache_requests_total", "Cache calls by outcome", "operation", "outcome")
        self.circuit_breaker_state_changes = self._counter(
            "circuit_breaker_state_changes_total", "Changes of a breaker's state", "breaker", "state"
        )
        self.idempotent_replays = self._counter(
            "idempotent_replays_total", "Writes answered from the request log", "method"
        )

    def _router_and_orchestrator(self) -> None:
        self.intent_requests = self._counter("intent_requests_total", "Classified utterances", "intent", "method")
        self.intent_errors = self._counter("intent_errors_total", "Utterances that could not be classified", "reason")
        self.intent_cache_hits = self._counter("intent_cache_hits_total", "Classifications found in the cache")
        self.intent_cache_misses = self._counter("intent_cache_misses_total", "Classifications not in the cache")
        self.intent_request_latency_ms = self._histogram(
            "intent_request_latency_ms", "Time of a classification, in milliseconds", buckets=MILLISECONDS
        )
        self.intent_classification_latency = self._histogram(
            "intent_classification_latency", "Time of a classification; its p95 scales the router"
        )
        self.intent_tokens_used = self._counter("intent_tokens_used", "Model tokens used to classify", "model")
        self.intent_confidence = self._histogram("intent_confidence", "Confidence of classifications", buckets=RATIO)
        self.orchestrator_plan_latency = self._histogram(
            "orchestrator_plan_latency", "Time from classification to a checked plan; its p95 scales the orchestrator"
        )
        self.decisions = self._counter("decisions_total", "Decisions by intent and state", "intent", "state")
        self.decision_duration = self._histogram(
            "decision_duration_seconds", "Time from question to answer", "intent", buckets=SLOW
        )

    def _judgment_and_rules(self) -> None:
        self.judgment_executions = self._counter("judgment_executions_total", "Judgments", "policy", "outcome")
        self.judgment_duration = self._histogram(
            "judgment_duration_seconds", "Time of a judgment", "policy", buckets=SLOW
        )
        self.judgment_cache_hits = self._counter("judgment_cache_hits_total", "Judgments found in the cache")
        self.judgment_cache_misses = self._counter("judgment_cache_misses_total", "Judgments not in the cache")
        self.judgment_active_executions = self._gauge("judgment_active_executions", "Judgments being made")
        self.rule_evaluations = self._counter("rule_evaluations_total", "Evaluated rule sets", "outcome")
        self.rule_evaluation_duration = self._histogram("rule_evaluation_duration_seconds", "Time of an evaluation")
        self.llm_calls = self._counter("llm_calls_total", "Model calls", "model", "outcome")
        self.llm_parsing_failures = self._counter("llm_parsing_failures_total", "Unreadable model answers", "model")
        self.llm_cost_usd = self._counter("llm_cost_usd_total", "Cost of model calls in US dollars", "model")

    def _workflow_and_data(self) -> None:
        self.workflow_instances = self._counter("workflow_instances_total", "Runs that ended, by state", "state")
        self.workflow_duration = self._histogram("workflow_duration_seconds", "Time of a run", "state", buckets=SLOW)
        self.workflow_instances_active = self._gauge("workflow_instances_active", "Runs under way")
        self.workflow_node_failures = self._counter("workflow_node_failures_total", "Failed nodes", "kind", "reason")
        self.workflow_node_duration = self._histogram(
            "workflow_node_duration_seconds", "Time of a node", "kind", buckets=SLOW
        )
        self.data_query_duration = self._histogram("data_query_duration_seconds", "Time of a data query", "kind")
        self.data_rows_imported = self._counter("data_rows_imported_total", "Imported rows by outcome", "outcome")

    def exposition(self) -> bytes:
        """Return all of it in the Prometheus text format."""
        return generate_latest(self.registry)
