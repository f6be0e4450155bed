"""Typed results into what a good colleague would say: first the figure, then the comparison, then what it means."""
