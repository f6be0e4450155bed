"""Settings: all violations at once, and no secret in any of them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.chassis.settings import ServiceSettings, SettingsError, load


class Settings(ServiceSettings):
    port: int = 8010


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "PORT", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_follow_the_port() -> None:
    settings = load(Settings)
    assert (settings.port, settings.health_port, settings.metrics_port) == (8010, 9010, 10010)
    assert settings.reflection
    assert settings.addresses()["workflow"] == "http://127.0.0.1:8060"
    assert Settings(port=0).health_port == 0
    assert Settings(health_port=7).health_port == 7


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("INTENT_ROUTER_URL", "http://router:1")
    monkeypatch.setenv("HOST", "a-machine")
    monkeypatch.setenv("LISTEN_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("REDIS_URL", "")
    (tmp_path / "token_issuer").write_text("somebody")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    settings = load(Settings)
    assert settings.database_url == SecretStr("postgresql://u:p@h/d")
    assert settings.addresses()["router"] == "http://router:1"
    assert settings.host == "0.0.0.0"  # noqa: S104
    assert settings.redis_url is None
    assert settings.token_issuer == "somebody"  # noqa: S105


def test_all_violations_are_told_at_once_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("AUTH_REQUIRED", "false")
    monkeypatch.setenv("DATABASE_URL", "mysql://u:hunter2@h/d")
    monkeypatch.setenv("REDIS_URL", "memcached://hunter2")
    with pytest.raises(SettingsError) as refused:
        load(Settings)
    named = {violation.split(":")[0] for violation in refused.value.violations}
    assert named == {"PORT", "AUTH_REQUIRED", "DATABASE_URL", "JWKS_FILE", "REDIS_URL"}
    assert "hunter2" not in str(refused.value)


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(Settings(database_url=SecretStr("postgresql://u:hunter2@h/d")))
