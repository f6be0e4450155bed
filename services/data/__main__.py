"""`python -m services.data`."""

import sys

from services.chassis import main
from services.data.settings import DataSettings
from services.data.wiring import build

if __name__ == "__main__":
    sys.exit(main.run(DataSettings, build))
