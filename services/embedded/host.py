"""All six services in one process, each on its own port: `python -m services.embedded.host`.

The supervisor says in `*_URL` where each of them listens; everything else is in the services' own settings.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from services.chassis import host
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings, load
from services.data import wiring as data
from services.data.settings import DataSettings
from services.embedded.table import SIX
from services.judgment import wiring as judgment
from services.judgment.settings import JudgmentSettings
from services.orchestrator import wiring as orchestrator
from services.orchestrator.settings import OrchestratorSettings
from services.router import wiring as router
from services.router.settings import RouterSettings
from services.rule import wiring as rule
from services.rule.settings import RuleSettings
from services.workflow import wiring as workflow
from services.workflow.settings import WorkflowSettings


@dataclass(frozen=True, slots=True)
class Wired:
    """How a service is built: the class of its settings, and its composition root."""

    settings: type[ServiceSettings]
    build: Callable[[Any, Platform], Service]


WIRED = {
    "router": Wired(RouterSettings, router.build),
    "orchestrator": Wired(OrchestratorSettings, orchestrator.build),
    "data": Wired(DataSettings, data.build),
    "judgment": Wired(JudgmentSettings, judgment.build),
    "rule": Wired(RuleSettings, rule.build),
    "workflow": Wired(WorkflowSettings, workflow.build),
}


def main() -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    parts = [host.Part(_settings(row.name, row.address_variable), WIRED[row.name].build) for row in SIX]
    asyncio.run(_serve(parts))


def _settings(name: str, address_variable: str) -> ServiceSettings:
    # Each service reads PORT, and a process has one environment: it is set anew for each of them.
    os.environ["PORT"] = str(urlsplit(os.environ[address_variable]).port)
    return load(WIRED[name].settings)


async def _serve(parts: list[host.Part]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await host.serve_all(parts, stop)


if __name__ == "__main__":
    main()
