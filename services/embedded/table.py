"""The six services of the product and their standard ports; health is served at +1000, metrics at +2000."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One service: its folder name, its Protobuf name, its standard gRPC port and where neighbours read its address."""

    name: str
    full_name: str
    port: int
    address_variable: str


SIX = (
    Row("router", "factoryai.router.v1.RouterService", 8010, "INTENT_ROUTER_URL"),
    Row("orchestrator", "factoryai.orchestrator.v1.OrchestratorService", 8020, "ORCHESTRATOR_URL"),
    Row("data", "factoryai.data.v1.DataService", 8030, "DATA_LAYER_URL"),
    Row("judgment", "factoryai.judgment.v1.JudgmentService", 8040, "JUDGMENT_ENGINE_URL"),
    Row("rule", "factoryai.rule.v1.RuleService", 8050, "RULE_ENGINE_URL"),
    Row("workflow", "factoryai.workflow.v1.WorkflowService", 8060, "WORKFLOW_ENGINE_URL"),
)

HEALTH_OFFSET = 1000
METRICS_OFFSET = 2000
EDGE_PORT = 8443
ADMIN_PORT = 9901
