"""`state.json`: what a supervisor leaves for `status` and `down`, and for the next start after a crash."""

import json
from dataclasses import asdict, dataclass

from services.embedded.certificates import write_private
from services.embedded.home import Home
from services.embedded.ports import Ports
from services.embedded.process import Proof
from services.embedded.progress import PartStatus, StackStatus

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One run. `supervisor` names its process for good."""

    status: StackStatus
    ports: Ports | None = None
    supervisor: Proof | None = None


def write(home: Home, record: Record) -> None:
    """Replace the file at once; a reader sees the old or the new one."""
    write_private(home.state, json.dumps({"format": _FORMAT, **asdict(record)}, indent=1).encode())


def read(home: Home) -> Record | None:
    """Return what the last run left, or None: there was none, or another release wrote it."""
    try:
        found = json.loads(home.state.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if found["format"] != _FORMAT:
        return None
    status = found["status"]
    parts = {name: PartStatus(**part) for name, part in status.pop("parts").items()}
    ports = found["ports"]
    return Record(
        status=StackStatus(**status, parts=parts),
        ports=ports and Ports(ports["edge"], ports["admin"], ports["services"], tuple(ports["moved"])),
        supervisor=found["supervisor"] and Proof(**found["supervisor"]),
    )
