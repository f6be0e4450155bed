"""What every RPC passes through, in this order, in process as over a socket."""

from services.chassis.auth import Authenticator
from services.chassis.clock import Clock
from services.chassis.interceptors.admission import Admission
from services.chassis.interceptors.auth import Auth
from services.chassis.interceptors.deadline import Deadline
from services.chassis.interceptors.errors import Errors
from services.chassis.interceptors.log import Log
from services.chassis.interceptors.metrics import MetricsInterceptor
from services.chassis.interceptors.request_id import RequestId
from services.chassis.interceptors.rpc import Interceptor
from services.chassis.interceptors.tenant import Tenant
from services.chassis.interceptors.tracing import TracingInterceptor
from services.chassis.interceptors.validate import Validate
from services.chassis.metrics import Metrics
from services.chassis.tracing import Tracing

# Health and reflection answer whoever asks, busy or not: kubelets and load balancers hold no token.
CLOSED_ONLY = (Admission, Auth, Tenant, Deadline)


def interceptors(
    *,
    admission: Admission,
    authenticator: Authenticator,
    clock: Clock,
    metrics: Metrics,
    tracing: Tracing,
    validate: Validate,
    default_deadline_s: float,
) -> tuple[Interceptor, ...]:
    """Return the interceptors, outermost first."""
    return (
        # First: whatever happens from here on, refusals included, can be found by its id.
        RequestId(clock),
        # Outside log and metrics, so that their lines and exemplars belong to the span.
        TracingInterceptor(tracing),
        # Outside errors: it writes the code that left, not the exception that was raised.
        Log(),
        # Beside log, for the same reason.
        MetricsInterceptor(metrics),
        # Outside everything that refuses, inside everything that reports.
        Errors(),
        # Before anything that costs: a flood must not buy signature checks.
        admission,
        # Before the request is looked at: strangers learn nothing about what would be valid.
        Auth(authenticator),
        # Needs the token's claims; all after it, and every store, works for one tenant.
        Tenant(),
        # As late as possible, so that nothing but the servicer and its validation runs on the caller's budget.
        Deadline(default_deadline_s),
        # Last: what reaches a servicer is decoded, allowed and within the limits of the proto.
        validate,
    )
