"""`factoryai`: the command line. Starts and stops the embedded stack, and asks any deployment over REST."""
