"""The people of a simulated experiment, with the parameters that were planted, as crowds."""

from __future__ import annotations

import numpy as np
import pandas as pd

import trustbayes as tb
from trustbayes.files import natural_order
from trustbayes.simulation.policies.crowd import Crowd
from trustbayes.simulation.policies.kinds import play_of
from trustbayes.simulation.policies.stage import Outcomes, biases_of
from trustbayes.trials.table import trials_from_frame

__all__ = ["crowds_of", "earned_by", "everywhere_alike", "payoffs_of"]


def everywhere_alike(model: tb.Model) -> tb.Model:
    """The model with parameters that are the same in all treatments."""
    varies = {n: tuple(d for d in over if d != "treatment") for n, over in model.varies.items()}
    return model.replace(varies=varies)


def crowds_of(
    played: tb.Simulation, models: dict[str, tb.Model], treatment: str
) -> dict[str, Crowd]:
    """Both roles, from the table of what was planted; one draw, the truth."""
    crowds = {}
    for role, model in models.items():
        rows = played.parameters[played.parameters["role"] == role]
        people = natural_order(list(played.trials[role].unique()))
        arrays, personal = {}, set()
        for name in (p.name for p in model.parameters if p.support != "simplex"):
            planted = rows[(rows["parameter"] == name) & rows["treatment"].isin(["", treatment])]
            if (planted["subject"] == "").all():
                arrays[name] = planted["value"].to_numpy()[:1]
            else:
                personal.add(name)
                arrays[name] = planted.set_index("subject")["value"].loc[people].to_numpy()[None]
        types = None
        if model.types:
            levels = rows[rows["parameter"] == "level"].set_index("subject")["value"]
            types = levels.loc[people].to_numpy().astype(int)[None]
        crowds[role] = Crowd(
            model, played.game, treatment, arrays, frozenset(personal), types, 1, len(people), 1,
            (role, treatment),
        )  # fmt: skip
    return crowds


def earned_by(
    played: tb.Simulation, models: dict[str, tb.Model], treatment: str, seed: int
) -> Outcomes:
    """What the planted people expect to earn in a treatment, by the package's formulas."""
    trials = trials_from_frame(played.trials, played.game)
    biases = biases_of(trials.fold("sender"), treatment)
    play = play_of(played.game)
    stage = play.stage(played.game, treatment, biases, {}, None, None)
    crowds = crowds_of(played, models, treatment)
    return play.play(stage, [(1.0, crowds["sender"])], [(1.0, crowds["receiver"])], {}, seed)


def payoffs_of(played: tb.Simulation, seed: int) -> pd.DataFrame:
    """What every meeting of a simulated experiment paid, with a demand where there is one."""
    table, game = played.trials, played.game
    if isinstance(game, tb.FiniteGame):
        state, message, action = (table[n].to_numpy(float) for n in ("state", "message", "action"))
        paid = game.sender_payoff(state, message, action, table["bias"].to_numpy(float))
        return table.assign(
            sender_paid=paid, receiver_paid=game.receiver_payoff(state, message, action)
        )
    terms = game.terms(table["treatment"])
    shock = np.random.default_rng(seed).uniform(-1, 1, len(table)) * terms.uncertainty
    demand = terms.mean_demand + table["state"].to_numpy(float) + shock
    built = table["action"].to_numpy(float)
    sold = np.minimum(demand, built)
    return table.assign(
        sender_paid=terms.sender_margin * sold,
        receiver_paid=terms.receiver_margin * sold - terms.capacity_cost * built,
    )
