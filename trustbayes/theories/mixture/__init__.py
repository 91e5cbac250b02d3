"""Each person by one of several theories."""
