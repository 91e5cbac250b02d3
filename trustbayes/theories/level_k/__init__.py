"""Level-k thinking."""
