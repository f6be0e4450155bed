"""Where judgments are kept."""
