"""DATA: reads figures from the data layer."""

from services.errors import Internal
from services.workflow.domain.definition import DataConfig
from services.workflow.domain.nodes.work import Tools, Work
from services.workflow.domain.outputs import NodeOutput


async def read(tools: Tools, work: Work) -> NodeOutput:
    """Ask the data layer the node's question, as seen from the run's `as_of`."""
    config = work.node.config
    if not isinstance(config, DataConfig):
        raise Internal(f"{work.node.id} is configured as no DATA node")
    return await tools.data.query(work.plant, config.query, work.as_of)
