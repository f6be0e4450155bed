"""`python -m services.rule`."""

import sys

from services.chassis import main
from services.rule.settings import RuleSettings
from services.rule.wiring import build

if __name__ == "__main__":
    sys.exit(main.run(RuleSettings, build))
