"""All six services in one process, each on its own port: `python -m services.embedded.host`.

The supervisor says in `*_URL` where each of them listens; everything else is in the services' own settings.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from services.chassis import log
from services.chassis.host import Part
from services.chassis.main import EXIT_SETTINGS, run_parts
from services.chassis.server import Platform, Service
from services.chassis.settings import ServiceSettings, SettingsError, load
from services.data import wiring as data
from services.data.settings import DataSettings
from services.embedded.table import SIX, Row
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

_PROCESS = "services"


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


def main() -> int:
    """Serve until SIGTERM or SIGINT, then drain. Returns the exit code."""
    try:
        settings = [_settings(row) for row in SIX]
    except SettingsError as refused:
        sys.stderr.write(f"{refused}\n")
        return EXIT_SETTINGS
    log.configure(settings[0].log_level, process=_PROCESS)
    parts = [Part(each, WIRED[row.name].build) for row, each in zip(SIX, settings, strict=True)]
    return asyncio.run(run_parts(parts, process=_PROCESS))


def _settings(row: Row) -> ServiceSettings:
    # Each service reads PORT, and a process has one environment: it is set anew for each of them.
    os.environ["PORT"] = str(urlsplit(os.environ[row.address_variable]).port)
    return load(WIRED[row.name].settings)


if __name__ == "__main__":
    sys.exit(main())
