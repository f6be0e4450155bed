"""Composition root of the embedded stack: which parts there are, and how they find each other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.embedded import external, identity
from services.embedded.edge import DEVELOPMENT_ORIGINS, OPENAPI, EdgeSettings, Endpoint
from services.embedded.engine import Engine
from services.embedded.envoy import Envoy
from services.embedded.home import Home
from services.embedded.identity import Identity
from services.embedded.ports import Ports
from services.embedded.postgres import Postgres, binaries
from services.embedded.settings import EmbeddedSettings
from services.embedded.supervisor import Part
from services.embedded.table import SIX
from services.embedded.valkey import Valkey


@dataclass(frozen=True, slots=True)
class Stack:
    """The parts of one home. `postgres` and `valkey` are None where a server from outside is used."""

    home: Home
    settings: EmbeddedSettings
    ports: Ports
    postgres: Postgres | None
    valkey: Valkey | None
    envoy: Envoy

    def external(self) -> Mapping[str, Callable[[], str]]:
        """Return the servers from outside: part name -> its check."""
        checks: dict[str, Callable[[], str]] = {}
        if self.postgres is None:
            checks["postgres"] = partial(external.check_database, self.settings.database_url.get_secret_value())
        if self.valkey is None:
            checks["valkey"] = partial(external.check_cache, self.settings.redis_url.get_secret_value())
        return checks

    def initialise(self) -> str:
        """Make data and passwords where they are missing. Returns what was done, for people, or ""."""
        fresh = self.postgres is not None and self.postgres.initialise()
        if self.valkey is not None:
            self.valkey.initialise()
        return "new database" if fresh else ""

    def engine(self) -> Engine:
        """Return the six services; the servers' passwords must be there."""
        database, cache = self.settings.database_url.get_secret_value(), self.settings.redis_url.get_secret_value()
        return Engine(
            ports=self.ports.services,
            database_url=database if self.postgres is None else self.postgres.url(),
            redis_url=cache if self.valkey is None else self.valkey.url(),
            jwks=self.home.keys.jwks,
            service_key=self.home.keys.private,
        )

    def parts(self, engine: Engine, *, separate: bool) -> list[Part]:
        """Return the processes to run, in the order of their start."""
        parts = []
        if self.postgres is not None:
            parts.append(_postgres(self.postgres, self._log("postgres")))
        if self.valkey is not None:
            parts.append(_valkey(self.valkey, self._log("valkey")))
        if separate:
            for row in SIX:
                command = partial(engine.separate, row, self._log(row.name))
                parts.append(Part(row.name, command, lambda _, row=row: engine.serving(row)))  # type: ignore[misc]
        else:
            parts.append(
                Part(
                    "services",
                    partial(engine.colocated, self._log("services")),
                    lambda _: engine.all_serving(),
                    missing=engine.missing,
                )
            )
        parts.append(_envoy(self.envoy, self._log("envoy")))
        return parts

    def _log(self, part: str) -> Path:
        return self.home.logs / f"{part}.log"


def compose(home: Home, settings: EmbeddedSettings, ports: Ports) -> Stack:
    """Put the stack of `home` together. Starts nothing; finds out as whom PostgreSQL can run."""
    postgres = None
    if not settings.database_url.get_secret_value():
        postgres = local_postgres(home, identity.choose(binaries() / "postgres", home.postgres, within=home.root))
        postgres.identity.claim(postgres.sockets, within=home.sockets)
    valkey = None if settings.redis_url.get_secret_value() else local_valkey(home)
    return Stack(home, settings, ports, postgres, valkey, edge(home, ports, settings.cors_origins))


def local_postgres(home: Home, who: Identity) -> Postgres:
    """Return the home's own PostgreSQL."""
    return Postgres(home.postgres, home.sockets / "postgres", who)


def local_valkey(home: Home) -> Valkey:
    """Return the home's own Valkey."""
    return Valkey(home.valkey, home.sockets)


def edge(home: Home, ports: Ports, cors_origins: tuple[str, ...] = ()) -> Envoy:
    """Return the home's edge."""
    files = home.certificates
    # Here health is asked for on the main port, which has it too: co-located, only one health port is opened.
    endpoints = {name: Endpoint("127.0.0.1", port, health_port=port) for name, port in ports.services.items()}
    settings = EdgeSettings(
        services=endpoints,
        listen_port=ports.edge,
        admin_port=ports.admin,
        certificate=files.server,
        private_key=files.server_key,
        cors_origins=cors_origins or DEVELOPMENT_ORIGINS,
        openapi=OPENAPI if OPENAPI.exists() else None,
    )
    return Envoy(settings, home.envoy, files.ca)


def _postgres(server: Postgres, log: Path) -> Part:
    return Part("postgres", partial(server.command, log), server.ready, prepare=server.clear_remains, grace_s=30)


def _valkey(server: Valkey, log: Path) -> Part:
    return Part("valkey", partial(server.command, log), lambda _: server.ready())


def _envoy(server: Envoy, log: Path) -> Part:
    return Part(
        "envoy", partial(server.command, log), lambda _: server.ready(), prepare=server.prepare, retire=server.drain
    )
