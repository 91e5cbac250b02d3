"""How people play: plain array functions of a game and of a person's parameters."""
