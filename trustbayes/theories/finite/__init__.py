"""How people play the finite game, theory by theory."""
