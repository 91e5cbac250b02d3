"""What can be sent to other processes, and what stays here."""

from __future__ import annotations

from collections.abc import Sequence

from trustbayes.errors import Fault, InputError
from trustbayes.games import Game
from trustbayes.models import SPECS, Model

__all__ = ["check_travel"]


def check_travel(game: Game, models: Sequence[Model], place: str, label: str) -> None:
    """Refuse what other processes cannot be given.

    These are payoffs and priors that are Python functions, and specs that are not registered, so
    that no worker could find them by their names.

    Parameters
    ----------
    game : Game
    models : sequence of Model
    place, label : str
        Where the game and the models stand, for messages.

    Raises
    ------
    InputError
    """
    if not game.storable:
        expected = "no executor: such payoffs do not travel to other processes"
        raise InputError(Fault(place, "payoffs that are Python functions", expected))
    for model in models:
        for name, prior in model.code_priors.items():
            what, expected = f"{label}, prior of {name}", "no executor: code does not travel"
            raise InputError(Fault(what, str(prior), expected))
        if not SPECS.holds(model.spec):
            expected = "no executor: workers know registered theories only, see trustbayes.register"
            raise InputError(Fault(f"{label}, theory {model.name}", "another spec", expected))
