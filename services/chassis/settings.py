"""Typed settings: one object per service, read once, all violations told at once.

Each field is read from the environment variable of its name (`DATABASE_URL`, `DRAIN_GRACE_S`), or from a file of
that name in the folder `SECRETS_DIR` names, which is how Kubernetes mounts secrets.
"""

import os
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HEALTH_PORT_OFFSET = 1000
METRICS_PORT_OFFSET = 2000


class SettingsError(Exception):
    """The settings are wrong. The message names every violation and shows no value."""

    def __init__(self, violations: list[str]) -> None:
        super().__init__("\n".join(["the settings are wrong:", *(f"  {violation}" for violation in violations)]))
        self.violations = violations


class ServiceSettings(BaseSettings):
    """What every service is told. A service's own settings extend this and give `port` a default.

    Ports: 0 lets the system choose. The health port (plaintext, for the kubelet) and the metrics port follow the
    gRPC port by 1000 and 2000 unless they are given. Times are in seconds.
    """

    model_config = SettingsConfigDict(
        case_sensitive=False, extra="forbid", frozen=True, populate_by_name=True, validate_default=True
    )

    environment: Literal["development", "production"] = "development"
    # Several shells export HOST as the machine's own name, so the address to listen on is LISTEN_HOST.
    host: str = Field(default="127.0.0.1", validation_alias=AliasChoices("listen_host"))
    port: int = Field(ge=0, le=65535)
    health_port: int = Field(default=-1, ge=-1, le=65535)
    metrics_port: int = Field(default=-1, ge=-1, le=65535)

    database_url: SecretStr = SecretStr("")
    database_pool_size: int = Field(default=8, ge=1, le=200)
    redis_url: SecretStr | None = None
    cache_ttl_s: float = Field(default=300, gt=0)

    auth_required: bool = True
    jwks_file: Path | None = None
    token_issuer: str = "factoryai"  # noqa: S105 - a name, no secret
    token_audience: str = "factoryai"  # noqa: S105 - a name, no secret
    # The private key (PEM) with which background work, which has no caller, introduces itself to its neighbours.
    service_key_file: Path | None = None

    reflection: bool | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = Field(default=0.2, ge=0, le=1)

    max_concurrent_rpcs: int = Field(default=200, ge=1)
    max_receive_bytes: int = Field(default=1024 * 1024, ge=1024)
    default_deadline_s: float = Field(default=120, gt=0)
    drain_notice_s: float = Field(default=0, ge=0)
    drain_grace_s: float = Field(default=10, ge=0)

    intent_router_url: str = "http://127.0.0.1:8010"
    orchestrator_url: str = "http://127.0.0.1:8020"
    data_layer_url: str = "http://127.0.0.1:8030"
    judgment_engine_url: str = "http://127.0.0.1:8040"
    rule_engine_url: str = "http://127.0.0.1:8050"
    workflow_engine_url: str = "http://127.0.0.1:8060"

    @field_validator("auth_required")
    @classmethod
    def _tokens_in_production(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's shape
        if not value and info.data.get("environment") == "production":
            raise ValueError("may be false only in development")
        return value

    @field_validator("jwks_file")
    @classmethod
    def _keys_in_production(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is None and info.data.get("environment") == "production":
            raise ValueError("is needed in production: the public keys that tokens are verified with")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_in_production(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        url = value.get_secret_value()
        if not url and info.data.get("environment") == "production":
            raise ValueError("is needed in production")
        if url and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("starts with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        if not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("starts with redis://, rediss:// or unix://")
        return value

    @model_validator(mode="after")
    def _derive(self) -> Self:
        # The model is frozen for everybody else; what follows from other fields is filled in here, once.
        derived = {
            "health_port": self._follow(self.health_port, HEALTH_PORT_OFFSET),
            "metrics_port": self._follow(self.metrics_port, METRICS_PORT_OFFSET),
            "reflection": self.environment == "development" if self.reflection is None else self.reflection,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        return self

    def _follow(self, port: int, offset: int) -> int:
        if port >= 0:
            return port
        return self.port + offset if self.port else 0

    def addresses(self) -> dict[str, str]:
        """Return where each service of the product is found: its name -> URL."""
        return {
            "router": self.intent_router_url,
            "orchestrator": self.orchestrator_url,
            "data": self.data_layer_url,
            "judgment": self.judgment_engine_url,
            "rule": self.rule_engine_url,
            "workflow": self.workflow_engine_url,
        }


S = TypeVar("S", bound=ServiceSettings)


def load(cls: type[S]) -> S:
    """Read the settings of a service from the environment. Raises SettingsError with all violations at once."""
    try:
        return cls(_secrets_dir=os.environ.get("SECRETS_DIR"))
    except ValidationError as refused:
        # `input` is left out on purpose: a mistyped DATABASE_URL still holds its password.
        found = refused.errors(include_url=False, include_input=False, include_context=False)
        raise SettingsError(
            [f"{'.'.join(str(part) for part in each['loc']).upper() or 'SETTINGS'}: {each['msg']}" for each in found]
        ) from None
