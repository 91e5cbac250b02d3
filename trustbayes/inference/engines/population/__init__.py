"""The population engine: subjects summed out on tables, their population sampled alone."""
