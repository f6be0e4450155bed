"""`python -m services.workflow [--check-config]`."""

import sys

from services.chassis.main import run
from services.workflow.settings import WorkflowSettings
from services.workflow.wiring import build

if __name__ == "__main__":
    sys.exit(run(WorkflowSettings, build))
