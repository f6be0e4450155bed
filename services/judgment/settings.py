"""What the judgment service is told."""

from services.chassis.settings import ServiceSettings


class JudgmentSettings(ServiceSettings):
    """Settings of the judgment service. Without DATABASE_URL (development only) judgments live in memory."""

    port: int = 8040
