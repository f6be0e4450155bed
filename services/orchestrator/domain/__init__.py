"""What the front door knows, without a wire, a database or a neighbour."""
