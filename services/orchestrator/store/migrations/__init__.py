"""The orchestrator's tables."""
