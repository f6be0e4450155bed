"""JUDGMENT: has the figures of a DATA node judged."""

from services.errors import Internal
from services.workflow.domain.definition import JudgmentConfig
from services.workflow.domain.nodes.work import Tools, Work
from services.workflow.domain.outputs import NodeOutput


async def judge(tools: Tools, work: Work) -> NodeOutput:
    """Hand figures and task to the judgment engine; another attempt gets the same judgment, not a second one."""
    config = work.node.config
    if not isinstance(config, JudgmentConfig):
        raise Internal(f"{work.node.id} is configured as no JUDGMENT node")
    return await tools.judge.judge(work.plant, config.wire, work.data_of(config.input_node), work.key)
