"""Protobuf <-> domain, both directions, total, no I/O. One module for each family of messages."""
