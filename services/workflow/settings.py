"""Settings of the workflow service."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class WorkflowSettings(ServiceSettings):
    """What the workflow service is told beside what every service is."""

    port: int = Field(default=8060, ge=0, le=65535)
