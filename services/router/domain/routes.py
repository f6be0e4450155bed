"""Fixed tables: where each intent is answered, and what earlier releases called it (domain.md 1 and 1.3)."""

from collections.abc import Mapping
from types import MappingProxyType

from services.router.domain.model import Intent, Route

ROUTES: Mapping[Intent, Route] = MappingProxyType(
    {
        Intent.CHECK: Route.DATA_LAYER,
        Intent.TREND: Route.DATA_LAYER,
        Intent.COMPARE: Route.JUDGMENT_ENGINE,
        Intent.RANK: Route.JUDGMENT_ENGINE,
        Intent.FIND_CAUSE: Route.JUDGMENT_ENGINE,
        Intent.DETECT_ANOMALY: Route.RULE_ENGINE,
        Intent.PREDICT: Route.JUDGMENT_ENGINE,
        Intent.WHAT_IF: Route.JUDGMENT_ENGINE,
        Intent.REPORT: Route.BI_GUIDE,
        Intent.NOTIFY: Route.WORKFLOW_GUIDE,
        Intent.CONTINUE: Route.CONTEXT_DEPENDENT,
        Intent.STOP: Route.CONTEXT_DEPENDENT,
        Intent.CLARIFY: Route.ASK_BACK,
        Intent.SYSTEM: Route.DIRECT_RESPONSE,
    }
)

# All 29 labels of earlier releases that have a counterpart. RANK, WHAT_IF, CONTINUE and STOP have no ancestor.
LEGACY: Mapping[Intent, tuple[str, ...]] = MappingProxyType(
    {
        Intent.CHECK: (
            "production_status",
            "quality_status",
            "inventory_status",
            "realtime_check",
            "sensor_check",
            "quality_check",
            "equipment_status",
            "ccp_status",
            "kpi_status",
        ),
        Intent.TREND: ("trend_analysis", "quality_trend"),
        Intent.COMPARE: ("quality_compare", "bi_compare"),
        Intent.FIND_CAUSE: ("defect_analysis", "production_analysis", "bottleneck_analysis"),
        Intent.DETECT_ANOMALY: ("threshold_alert", "equipment_anomaly"),
        Intent.PREDICT: ("predictive_maintenance", "schedule_optimize"),
        Intent.REPORT: ("bi_report", "bi_chart", "bi_summary", "bi_export"),
        Intent.NOTIFY: ("workflow_create", "quality_alert_config"),
        Intent.SYSTEM: ("greeting", "help"),
        Intent.CLARIFY: ("unknown",),
    }
)
