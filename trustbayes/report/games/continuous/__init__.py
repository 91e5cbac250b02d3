"""What the reports of games on a line have in common."""
