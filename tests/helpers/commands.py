"""A small experiment for the command line: its game, its trials, and what lies in a folder."""

GAME = """
kind = "finite"
states = [1, 2, 3]
[payoffs]
family = "power-loss"
constant = 110
scale = 20
exponent = 1.4
[treatments]
Low = 0.5
High = 1.5
"""
TRIALS = """sender,receiver,round,treatment,state,message,action
s1,r1,1,Low,1,2,1
s2,r2,1,Low,2,2,2
s1,r2,2,High,3,3,2
s2,r1,2,High,1,3,3
"""

SIMULATE = ("simulate", "level-k", "--game", "game.toml", "--subjects", "6", "--rounds", "8")


def files(folder) -> set[str]:
    """All files of a folder, by their path in it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
