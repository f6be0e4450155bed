"""What the router is told."""

from pydantic import Field

from services.chassis.settings import ServiceSettings


class RouterSettings(ServiceSettings):
    """Settings of the router. Confidences are from 0 to 1, times in seconds."""

    port: int = 8010
    # The plant of a question that names none, where the caller's token names none either.
    default_plant: str = Field(default="sample", pattern="^[a-z][a-z0-9-]{0,62}$")
    # Ask back below this confidence, and where the best two intents are closer than this.
    clarify_below: float = Field(default=0.55, ge=0, le=1)
    clarify_lead: float = Field(default=0.15, ge=0, le=1)
    # A catalogue older than this is refreshed beside the question that finds it so.
    catalogue_refresh_s: float = Field(default=3, gt=0)
    # One older than this, or none at all, is waited for, this long at most.
    catalogue_max_age_s: float = Field(default=60, gt=0)
    catalogue_wait_s: float = Field(default=2, gt=0)
