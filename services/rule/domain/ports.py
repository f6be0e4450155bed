"""What the domain needs from outside, and what it may rely on."""

from datetime import datetime
from typing import Protocol

from services.rule.domain.model import RuleSet, RuleSetContent


class RuleSetStore(Protocol):
    """Keeps versions of rule sets, apart by tenant. Each method is one transaction."""

    async def add(self, tenant: str, content: RuleSetContent, digest: str, now: datetime) -> RuleSet:
        """Keep the content as the next version, from 1, as a draft.

        Raises Conflict when somebody else took that number in the same instant.
        """
        ...

    async def publish(self, tenant: str, name: str, version: int, now: datetime) -> tuple[RuleSet, bool]:
        """Put a version (0: the newest) in force and deprecate the one before.

        Returns it and whether this call did it: False where it was in force already. At no instant are two versions
        in force, and a reader sees either the old one or the new one. Raises NotFound, and FailedPrecondition
        (INVALID_STATE) for a deprecated version.
        """
        ...

    async def get(self, tenant: str, name: str, version: int) -> RuleSet:
        """Return a version; 0 means the one in force, or the newest where none is. Raises NotFound."""
        ...

    async def active(self, tenant: str, name: str) -> RuleSet:
        """Return the version in force. Raises NotFound."""
        ...

    async def list(self, tenant: str, after: str, limit: int) -> list[RuleSet]:
        """Return the newest version of each rule set whose name comes after `after`, by name, at most `limit`."""
        ...
