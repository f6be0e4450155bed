"""CODE: computes with a vetted template, in process."""

from services.errors import Internal, Invalid
from services.workflow.domain.definition import CodeConfig
from services.workflow.domain.nodes.work import Tools, Work
from services.workflow.domain.outputs import NodeOutput
from services.workflow.domain.templates.reading import Figures, Inputs
from services.workflow.domain.templates.table import TEMPLATES


async def compute(_tools: Tools, work: Work) -> NodeOutput:
    """Run the template over its inputs. Raises Invalid where figures that it needs are missing in the result."""
    config = work.node.config
    if not isinstance(config, CodeConfig):
        raise Internal(f"{work.node.id} is configured as no CODE node")
    template = TEMPLATES[config.template]
    source, *others = config.input_nodes
    figures = Figures(work.query_of(source), work.data_of(source).result)
    wanted = [name for name in figures.query.metrics if name not in figures.result.columns]
    if template.buckets and "time" not in figures.result.columns:
        wanted.append("time")
    if wanted:
        raise Invalid(f"the data layer's answer lacks the columns {', '.join(wanted)}")
    judgment = work.judgment_of(others[0]) if others else None
    return template.run(Inputs(figures, judgment), config.arguments)
