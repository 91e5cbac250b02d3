"""What reports show of each kind of game."""
