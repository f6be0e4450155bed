"""What each kind of node does: one file a kind, one table."""
