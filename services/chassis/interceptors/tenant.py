"""Settles for whom the RPC works."""

import re

from services import errors
from services.chassis.auth import DEFAULT_TENANT
from services.chassis.interceptors.rpc import Rpc
from services.errors import FieldViolation

HEADER = "x-tenant"
PLANT_HEADER = "x-plant"
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}").fullmatch
MAX_PLANT = 128


class Tenant:
    """Tenant of the token; without tokens (development) the header's or `default`. The plant may be chosen freely."""

    def enter(self, rpc: Rpc) -> None:
        """Settle tenant and plant. Raises PermissionDenied on a malformed tenant, Invalid on a malformed plant."""
        if not rpc.tenant:
            rpc.tenant = rpc.headers.get(HEADER, "") or DEFAULT_TENANT
        if not _TENANT(rpc.tenant):
            rpc.tenant = ""
            raise errors.PermissionDenied("the tenant is no tenant name", metadata={"permission": "tenant"})
        plant = rpc.headers.get(PLANT_HEADER, "")
        if len(plant) > MAX_PLANT:
            raise errors.Invalid(
                "the plant is too long", violations=(FieldViolation(PLANT_HEADER, f"at most {MAX_PLANT} characters"),)
            )
        if plant:
            rpc.plant = plant

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:  # noqa: ARG002
        """Nothing is left to do."""
        return error
