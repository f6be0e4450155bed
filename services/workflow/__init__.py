"""Workflow: runs graphs of typed nodes and remembers every run."""
