"""Trials of recommendations made by hand or at random, for tests."""

import numpy as np
import pandas as pd

from trustbayes.games import RecommendationGame
from trustbayes.trials.recommendation import Recommendations
from trustbayes.trials.table import Trials, trials_from_frame

LINE = RecommendationGame(lowest=0, highest=100, unit=10, step=1)


def advised(
    seed: int = 1, people: int = 5, rounds: int = 8, game: RecommendationGame = LINE, **columns
) -> Trials:
    """Random play: a third keeps, a tenth follows, some decide at an end, the rest anywhere."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(1, rounds + 1):
        for person in range(people):
            estimate = round(float(rng.uniform(1, 99)))
            messages = [round(float(rng.uniform(1, 99))) for _ in game.messages]
            decision = estimate + rng.uniform(-0.2, 1.2) * (np.mean(messages) - estimate)
            luck = rng.random()
            decision = (
                estimate
                if luck < 0.3
                else messages[-1]
                if luck < 0.4
                else game.lowest
                if luck < 0.45
                else game.highest
                if luck < 0.5
                else round(float(np.clip(decision, game.lowest, game.highest)))
            )
            rows.append(
                {
                    "receiver": f"p{person}",
                    "round": number,
                    "treatment": "good" if number % 2 else "bad",
                    "estimate": estimate,
                    **dict(zip(game.messages, messages, strict=True)),
                    "action": decision,
                    **columns,
                }
            )
    return trials_from_frame(pd.DataFrame(rows), game, "advice")


def units_of(trials: Trials) -> Recommendations:
    """Their points."""
    return trials.fold("receiver")
