"""Verdicts that stand on evidence."""
