"""What the stack tells while it starts, runs and stops."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

PartState: TypeAlias = Literal[
    "preparing", "starting", "ready", "unready", "external", "died", "restarting", "failed", "stopping", "stopped"
]
StackState: TypeAlias = Literal["starting", "ready", "degraded", "failed", "stopping", "stopped", "died"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of one part ("postgres", "services", "envoy", "sample plant", "ports", "stack" ...).

    `detail` is a phrase for people, or empty. `seconds` counts from the start of the whole.
    """

    part: str
    state: PartState
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Member:
    """One of the six services in a co-located process."""

    state: PartState
    port: int


@dataclass(frozen=True, slots=True)
class PartStatus:
    """One part as it is now. `pid` 0: no process of ours. `started` in seconds of Unix time.

    `restarts` counts from the start of the stack. `members` holds the services of a co-located process by name.
    """

    state: PartState
    pid: int = 0
    started: float = 0.0
    restarts: int = 0
    detail: str = ""
    members: Mapping[str, Member] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The stack as it is now. `url` and `ca_file` are empty until it was started once. `supervisor` is a process id."""

    home: str
    state: StackState
    url: str = ""
    ca_file: str = ""
    admin_url: str = ""
    supervisor: int = 0
    detail: str = ""
    parts: Mapping[str, PartStatus] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it as plain data for `--json`."""
        return asdict(self)
