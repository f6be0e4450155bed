"""What the rule service is told."""

from services.chassis.settings import ServiceSettings


class RuleSettings(ServiceSettings):
    """Settings of the rule service. Without DATABASE_URL (development only) rule sets live in memory."""

    port: int = 8050
    # Give tenant `default` the rule sets that ship for the sample plant, where it does not have them.
    provision_sample_rules: bool = False
