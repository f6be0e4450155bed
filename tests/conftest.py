"""Fixtures of the whole suite come from `tests/support`."""

pytest_plugins = ["tests.support.stack", "tests.support.edge", "tests.support.engine"]
