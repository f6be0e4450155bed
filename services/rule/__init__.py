"""Rules that plants write, version and trust."""
