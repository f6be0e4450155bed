"""Where runs are kept: in memory, or in PostgreSQL."""
