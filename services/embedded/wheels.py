"""Finds programs inside installed wheels without importing the wheels, whose imports have side effects."""

import importlib.util
from pathlib import Path

from services.embedded.failure import StackError


def locate(package: str, inside: str) -> Path:
    """Return the path of `inside` in the folder of an installed package. Raises StackError when it is not there."""
    spec = importlib.util.find_spec(package)
    found = Path(spec.origin).parent / inside if spec is not None and spec.origin is not None else None
    if found is None or not found.exists():
        raise StackError(f"The package {package} is missing or has no {inside}. Run `make .venv` again.")
    return found
