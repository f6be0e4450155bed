"""Where decisions and conversations are kept."""
