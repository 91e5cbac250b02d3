"""Arrays, sums, quadrature, graphs: nothing here knows a game."""
