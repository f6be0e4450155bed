"""Numbered migrations of the rule service's schema, forward only."""
