"""Rule sets in memory: for tests, and for a service that runs without a database."""

from dataclasses import replace
from datetime import datetime

from services import errors
from services.errors import Reason
from services.rule.domain.model import RuleSet, RuleSetContent, RuleSetState


class MemoryRuleSetStore:
    """A `RuleSetStore`; one event loop, so that each method is atomic."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], list[RuleSet]] = {}

    async def add(self, tenant: str, content: RuleSetContent, digest: str, now: datetime) -> RuleSet:
        """Keep the next version; see RuleSetStore."""
        versions = self._versions.setdefault((tenant, content.name), [])
        versions.append(RuleSet(content, len(versions) + 1, RuleSetState.DRAFT, digest, now))
        return versions[-1]

    async def publish(self, tenant: str, name: str, version: int, now: datetime) -> tuple[RuleSet, bool]:
        """Put a version in force; see RuleSetStore."""
        wanted = self._find(tenant, name, version or len(self._versions.get((tenant, name), [])))
        if wanted.state is RuleSetState.ACTIVE:
            return wanted, False
        if wanted.state is RuleSetState.DEPRECATED:
            raise not_publishable(wanted)
        versions = self._versions[tenant, name]
        for index, other in enumerate(versions):
            if other.state is RuleSetState.ACTIVE:
                versions[index] = replace(other, state=RuleSetState.DEPRECATED)
        versions[wanted.version - 1] = replace(wanted, state=RuleSetState.ACTIVE, publish_time=now)
        return versions[wanted.version - 1], True

    async def get(self, tenant: str, name: str, version: int) -> RuleSet:
        """Return a version; see RuleSetStore."""
        if version:
            return self._find(tenant, name, version)
        versions = self._versions.get((tenant, name), [])
        in_force = [each for each in versions if each.state is RuleSetState.ACTIVE]
        return in_force[0] if in_force else self._find(tenant, name, len(versions))

    async def active(self, tenant: str, name: str) -> RuleSet:
        """Return the version in force; see RuleSetStore."""
        for each in self._versions.get((tenant, name), []):
            if each.state is RuleSetState.ACTIVE:
                return each
        raise not_found(name)

    async def list(self, tenant: str, after: str, limit: int) -> list[RuleSet]:
        """Return a page of newest versions; see RuleSetStore."""
        names = sorted(name for owner, name in self._versions if owner == tenant and name > after)
        return [self._versions[tenant, name][-1] for name in names[:limit]]

    def _find(self, tenant: str, name: str, version: int) -> RuleSet:
        versions = self._versions.get((tenant, name), [])
        if not 1 <= version <= len(versions):
            raise not_found(name)
        return versions[version - 1]


def not_found(name: str) -> errors.NotFound:
    """Build the error of a rule set or version that is not there, or not in force."""
    return errors.NotFound(
        f"no such rule set, or no such version of it in force: {name}", metadata={"resource": f"ruleSets/{name}"}
    )


def not_publishable(rule_set: RuleSet) -> errors.FailedPrecondition:
    """Build the error of a version that was in force before."""
    return errors.FailedPrecondition(
        "a version that was in force stays deprecated; write its content as a new version",
        reason=Reason.INVALID_STATE,
        metadata={"resource": f"ruleSets/{rule_set.content.name}", "state": "RULE_SET_STATE_DEPRECATED"},
    )
