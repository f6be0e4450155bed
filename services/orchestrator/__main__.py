"""`python -m services.orchestrator`."""

import sys

from services.chassis import main
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.wiring import build

if __name__ == "__main__":
    sys.exit(main.run(OrchestratorSettings, build))
