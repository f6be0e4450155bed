"""Between the contract and the domain, both directions, total, no I/O."""
