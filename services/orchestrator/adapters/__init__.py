"""The orchestrator's neighbours."""
