"""The engine without its plumbing: definitions, the pure core, nodes and templates."""
