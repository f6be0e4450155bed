"""`python -m services.router`."""

import sys

from services.chassis import main
from services.router.settings import RouterSettings
from services.router.wiring import build

if __name__ == "__main__":
    sys.exit(main.run(RouterSettings, build))
