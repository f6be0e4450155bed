"""How figures become verdicts: pure, no I/O."""
