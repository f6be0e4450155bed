"""What a stack is doing right now: what its supervisor noted, held against the processes themselves."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from services.embedded.engine import Engine
from services.embedded.home import Home
from services.embedded.identity import Identity
from services.embedded.ports import Ports
from services.embedded.process import Proof
from services.embedded.progress import Member, PartStatus, StackStatus
from services.embedded.record import Record, read
from services.embedded.stack import edge, local_postgres, local_valkey
from services.embedded.table import SIX

_SETTLED = ("starting", "restarting", "stopping")


def status(home: Home) -> StackStatus:
    """Return the stack as it is. Never fails for a stack that is down or was killed."""
    record = read(home)
    if record is None:
        return StackStatus(home=str(home.root), state="stopped")
    if record.supervisor is None or not record.supervisor.alive():
        return _without_supervisor(record)
    if record.ports is None:
        return record.status
    engine = _engine(record.ports)
    probes = _probes(home, record.ports, engine)
    parts = {name: _look(name, part, probes, engine) for name, part in record.status.parts.items()}
    well = all(part.state in ("ready", "external") for part in parts.values())
    state = "degraded" if record.status.state == "ready" and not well else record.status.state
    return replace(record.status, state=state, parts=parts)


def _without_supervisor(record: Record) -> StackStatus:
    """Nobody looks after it: it was stopped, or the supervisor was killed."""
    parts = {}
    orphans = 0
    for name, part in record.status.parts.items():
        orphan = bool(part.pid) and Proof(part.pid, part.started).alive()
        orphans += orphan
        parts[name] = replace(part, state="unready" if orphan else "stopped", pid=part.pid if orphan else 0)
    if record.status.state in ("stopped", "failed") and not orphans:
        return replace(record.status, supervisor=0, parts=parts)
    left = f"{orphans} of its processes still run" if orphans else "none of its processes is left"
    detail = f"the supervisor (process {record.status.supervisor}) was killed; {left}; `up` and `down` clear up"
    return replace(record.status, state="died", supervisor=0, detail=detail, parts=parts)


def _look(name: str, part: PartStatus, probes: Mapping[str, Callable[[int], bool]], engine: Engine) -> PartStatus:
    if part.pid == 0 or name not in probes:
        return part
    if not Proof(part.pid, part.started).alive():
        return part if part.state in ("died", "failed") else replace(part, state="died")
    members = {}
    if name == "services":
        members = {
            row.name: Member("ready" if engine.serving(row) else "unready", engine.ports[row.name]) for row in SIX
        }
    ready = all(member.state == "ready" for member in members.values()) if members else probes[name](part.pid)
    if part.state in _SETTLED and not ready:
        return replace(part, members=members)
    return replace(part, state="ready" if ready else "unready", members=members)


def _probes(home: Home, ports: Ports, engine: Engine) -> Mapping[str, Callable[[int], bool]]:
    envoy = edge(home, ports)
    return {
        "postgres": local_postgres(home, Identity()).ready,
        "valkey": lambda _: local_valkey(home).ready(),
        "services": lambda _: engine.all_serving(),
        "envoy": lambda _: envoy.ready(),
        **{row.name: partial(_serving, engine, index) for index, row in enumerate(SIX)},
    }


def _serving(engine: Engine, index: int, _pid: int) -> bool:
    return engine.serving(SIX[index])


def _engine(ports: Ports) -> Engine:
    """Return an engine for asking only: it is told no passwords."""
    nowhere = Path()
    return Engine(ports.services, database_url="", redis_url="", jwks=nowhere, service_key=nowhere)
