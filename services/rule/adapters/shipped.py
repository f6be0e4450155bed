"""The rule sets that ship with the product, as YAML beside the code."""

from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from services import errors
from services.rule.domain.model import RuleSetContent
from services.rule.domain.registry import RuleSets

_CONTENT = TypeAdapter(RuleSetContent)


def parse(text: str) -> RuleSetContent:
    """Read a rule set from YAML; the keys are those of `RuleSetContent`. Raises pydantic's ValidationError."""
    return _CONTENT.validate_python(yaml.safe_load(text))


def shipped() -> tuple[RuleSetContent, ...]:
    """Return the shipped rule sets, by name."""
    found = sorted(files("services.rule.rule_sets").iterdir(), key=lambda each: each.name)
    return tuple(parse(each.read_text(encoding="utf-8")) for each in found if each.name.endswith(".yaml"))


async def provision(rule_sets: RuleSets, tenant: str) -> tuple[str, ...]:
    """Give a tenant the shipped rule sets that it does not have, in force; returns the names of those it was given.

    What the tenant has under such a name is its own and stays as it is, so this may run at every start.
    """
    given: list[str] = []
    for content in shipped():
        try:
            await rule_sets.get(tenant, content.name, 0)
        except errors.NotFound:
            try:
                draft = await rule_sets.create(tenant, content)
                _, done = await rule_sets.publish(tenant, content.name, draft.version)
            except errors.Conflict:
                continue  # another process is giving it
            given += [content.name] if done else []
    return tuple(given)
