"""Numbered migrations of the judgment service's schema, forward only."""
