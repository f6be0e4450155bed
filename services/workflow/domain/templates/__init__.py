"""Vetted computations for CODE nodes: our own pure functions, run in process."""
