"""Finds out who asks."""

from services.chassis.auth import Authenticator
from services.chassis.interceptors.rpc import Rpc


class Auth:
    """Verifies the bearer token and takes principal, tenant and plant from it, and from nothing else."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    def enter(self, rpc: Rpc) -> None:
        """Verify. Raises Unauthenticated."""
        identity = self._authenticator.authenticate(rpc.headers.get("authorization", ""))
        if identity is not None:
            rpc.principal = identity.principal
            rpc.tenant = identity.tenant
            rpc.plant = identity.plant

    def leave(self, rpc: Rpc, error: BaseException | None) -> BaseException | None:  # noqa: ARG002
        """Nothing is left to do."""
        return error
