"""The judgment service's neighbours."""
