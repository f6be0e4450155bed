"""Where plants, rows and imports are kept: PostgreSQL, and memory as its oracle."""
