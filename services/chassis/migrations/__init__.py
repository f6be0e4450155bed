"""The tables that every service's schema has, applied before the service's own migrations."""
