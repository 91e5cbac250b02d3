"""How people play the forecast-sharing game, theory by theory."""
