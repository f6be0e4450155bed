"""Understands utterances: which of the fourteen intents, about what, over which period. Owns no data."""
