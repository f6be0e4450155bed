"""Plan templates: data read once at start, one for each intent that is served."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.orchestrator.domain.language import Localized
from services.orchestrator.domain.meaning import Intent, Route
from services.orchestrator.domain.plan import JudgmentKind, NodeKind


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Strict):
    """A text in both languages, as YAML has it."""

    ko: str
    en: str

    def localized(self) -> Localized:
        """Return it as the domain has it."""
        return Localized(self.ko, self.en)


class QueryTemplate(_Strict):
    """A query with bindings in place of what the question decides."""

    metrics: Literal["$metrics"]
    windows: Literal["$windows", "$windows_and_previous"]
    targets: Literal["$targets"] | None = None
    group_by: Literal["$group_by"] | None = None
    grain: Literal["$grain"] | None = None
    order_by: Literal["$metric"] | None = None
    descending: Literal["$descending"] | None = None
    limit: int = Field(default=0, ge=0, le=10_000)


class NodeTemplate(_Strict):
    """One node."""

    id: str
    kind: NodeKind
    inputs: tuple[str, ...] = ()
    query: QueryTemplate | None = None
    judge: JudgmentKind | None = None
    template: str = ""


class Template(_Strict):
    """How one intent is answered."""

    id: str
    version: int = Field(ge=1)
    intent: Intent
    route: Route
    title: Text
    explanation: Text
    nodes: tuple[NodeTemplate, ...] = Field(min_length=1)
    edges: tuple[tuple[str, str], ...] = ()
    main_metrics: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Return `check@1`."""
        return f"{self.id}@{self.version}"


@dataclass(frozen=True)
class Templates:
    """All templates by the intent they answer."""

    by_intent: Mapping[Intent, Template] = field(default_factory=dict)

    @classmethod
    def parse(cls, documents: Iterable[object]) -> Self:
        """Read parsed YAML documents. Raises ValueError for one that is wrong or answers an intent a second time."""
        found: dict[Intent, Template] = {}
        for document in documents:
            template = Template.model_validate(document)
            if template.intent in found:
                raise ValueError(f"two templates answer {template.intent}")
            found[template.intent] = template
        return cls(found)

    def of(self, intent: Intent) -> Template:
        """Return the template of an intent that is served."""
        return self.by_intent[intent]

    @property
    def main_metrics(self) -> tuple[str, ...]:
        """Return what an overview shows, in order."""
        return self.by_intent[Intent.CHECK].main_metrics
