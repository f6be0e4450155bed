"""Rule sets that ship with the product."""
