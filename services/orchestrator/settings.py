"""What the orchestrator is told."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class OrchestratorSettings(ServiceSettings):
    """Settings of the orchestrator. Without DATABASE_URL (development only) decisions live in memory.

    Times are in seconds.
    """

    port: int = 8020
    # Plant of questions that name none, where neither their conversation nor their caller has one.
    default_plant: str = Field(default="sample", pattern=r"^[a-z][a-z0-9-]{0,62}$")
    # After this an answer is still worked on, and the caller gets a decision that is RUNNING.
    ask_answer_s: float = Field(default=30.0, gt=0)
    # After this the work is given up.
    ask_work_s: float = Field(default=300.0, gt=0)
    # Questions that may go on after their call has been answered.
    ask_background: int = Field(default=64, ge=0)
    # How old a catalogue may be before it is renewed beside the question, and before the question waits for it.
    catalog_fresh_s: float = Field(default=5.0, ge=0)
    catalog_stale_s: float = Field(default=60.0, gt=0)
