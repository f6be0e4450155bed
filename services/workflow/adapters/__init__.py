"""Ways out of the engine: the data layer, the judgment engine, the rule engine, metrics and log."""
