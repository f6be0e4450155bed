"""What rules are and what they say: pure, no I/O."""
