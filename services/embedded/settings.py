"""What the embedded stack reads from the environment; the services read the rest themselves."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class EmbeddedSettings(BaseSettings):
    """`database_url` and `redis_url`: servers to use instead of starting our own.

    `cors_origins` (FACTORYAI_CORS_ORIGINS, separated by commas) may call the edge from a browser.
    `sample_plant` (FACTORYAI_SAMPLE_PLANT) false leaves the synthetic plant out.
    """

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", frozen=True)

    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(default=(), validation_alias="FACTORYAI_CORS_ORIGINS")
    sample_plant: bool = Field(default=True, validation_alias="FACTORYAI_SAMPLE_PLANT")

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(each.strip() for each in value.split(",") if each.strip()) if isinstance(value, str) else value
