"""The vetted templates: name -> what they read, what arguments they take, and the function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from services.workflow.domain.figures import Scalar
from services.workflow.domain.outputs import CodeOutput
from services.workflow.domain.states import NodeKind
from services.workflow.domain.templates.check import check_facts
from services.workflow.domain.templates.comparison import comparison_facts, ranking_facts
from services.workflow.domain.templates.reading import Inputs
from services.workflow.domain.templates.trend import trend_facts


@dataclass(frozen=True, slots=True)
class Template:
    """A vetted computation.

    `reads` are the kinds of its inputs in order. `arguments` are optional all of them: name -> type. `buckets` says
    whether it wants figures in time buckets (True), without (False), or either (None).
    """

    reads: tuple[NodeKind, ...]
    run: Callable[[Inputs, Mapping[str, Scalar]], CodeOutput]
    arguments: Mapping[str, type] = field(default_factory=dict)
    buckets: bool | None = None


TEMPLATES: Final[Mapping[str, Template]] = MappingProxyType(
    {
        "check_facts": Template((NodeKind.DATA,), check_facts, buckets=False),
        "trend_facts": Template((NodeKind.DATA,), trend_facts, {"metric": str}, buckets=True),
        "comparison_facts": Template((NodeKind.DATA, NodeKind.JUDGMENT), comparison_facts),
        "ranking_facts": Template((NodeKind.DATA, NodeKind.JUDGMENT), ranking_facts),
    }
)
