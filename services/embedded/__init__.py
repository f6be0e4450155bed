"""One command, no containers: PostgreSQL, Valkey, Envoy and the six services from wheels, under one supervisor."""
