"""Numbered migrations of the schema `workflow`."""
