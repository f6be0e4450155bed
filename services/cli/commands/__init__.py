"""One module for each family of commands. Each command is a function of a Session that returns an exit code."""
