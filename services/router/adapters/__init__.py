"""What the router needs from outside: the data service's catalogues and the vocabulary files."""
