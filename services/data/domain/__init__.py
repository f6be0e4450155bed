"""What a plant is, what can be asked of it, and how published files become its rows. Pure: no I/O."""
