"""`python -m services.judgment`."""

import sys

from services.chassis import main
from services.judgment.settings import JudgmentSettings
from services.judgment.wiring import build

if __name__ == "__main__":
    sys.exit(main.run(JudgmentSettings, build))
