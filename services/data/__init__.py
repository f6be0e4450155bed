"""The data layer: the plant model, what was measured there, and the catalogue of metrics."""
