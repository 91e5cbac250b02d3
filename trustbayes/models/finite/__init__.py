"""The models of the finite game, declared."""
