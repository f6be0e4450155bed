"""What the data service is told."""

from services.chassis.settings import ServiceSettings


class DataSettings(ServiceSettings):
    """Settings of the data service. Without DATABASE_URL (development only) plants live in memory."""

    port: int = 8030
