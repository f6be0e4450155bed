"""Every kind of node that this release serves, and what does its work."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.workflow.domain.definition import Definition
from services.workflow.domain.nodes.code import compute
from services.workflow.domain.nodes.data import read
from services.workflow.domain.nodes.judgment import judge
from services.workflow.domain.nodes.switch import choose
from services.workflow.domain.nodes.work import Handler
from services.workflow.domain.states import NodeKind

HANDLERS: Final[Mapping[NodeKind, Handler]] = MappingProxyType(
    {
        NodeKind.DATA: read,
        NodeKind.JUDGMENT: judge,
        NodeKind.CODE: compute,
        NodeKind.SWITCH: choose,
    }
)

# Kinds that change nothing outside and wait for nothing: doing one of them twice costs time and no more.
_READ_ONLY: Final = frozenset({NodeKind.DATA, NodeKind.JUDGMENT, NodeKind.CODE, NodeKind.SWITCH})


def runs_inline(definition: Definition) -> bool:
    """Say whether a run may be executed within the call that starts it: it follows from the definition alone."""
    return all(node.kind in _READ_ONLY for node in definition.nodes)
