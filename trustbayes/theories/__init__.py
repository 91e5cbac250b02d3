"""How people play: plain array functions of a game and of a person's parameters.

One folder is one theory: its formulas, for each kind of game, and its declaration, which says all
that the rest of the package needs to know of it. `trustbayes.theories.registry` lists them, and
takes in those of users; `trustbayes.theories.responses` make choices of what theories answer.
"""

from __future__ import annotations
