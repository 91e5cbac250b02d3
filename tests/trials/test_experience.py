"""What each person had been shown before each trial, against a loop over her rounds."""

import pytest

import trustbayes as tb
from trustbayes.trials.experience import news_before


def by_hand(table, role, other, stay):
    """Whether the round before was known and bad, and how long ago bad news was."""
    news = []
    for _, row in table.iterrows():
        past = table[(table[role] == row[role]) & (table["round"] < row["round"])]
        if stay:
            past = past[past[other] == row[other]]
        past = past.sort_values("round")
        lied = (past["message"] != past["state"]).tolist()
        since = 0
        for ago, lie in enumerate(reversed(lied), start=1):
            if lie:
                since = ago
                break
        news.append((bool(lied), bool(lied) and lied[-1], since))
    return news


@pytest.mark.parametrize("partners", ["fixed", "random"])
def test_news_is_that_of_the_rounds_before(partners):
    game = tb.FiniteGame(
        [1, 2, 3],
        treatments={"Low": 0.5, "High": 1.5},
        feedback=tb.Feedback("state", partners=partners),
    )
    played = tb.simulate(
        game, sender=tb.LevelK("sender"), receiver=tb.LevelK("receiver"), subjects=4, rounds=9,
        seed=3,
    )  # fmt: skip
    frame = played.trials.sample(frac=1, random_state=1)  # the order of the file says nothing
    trials = tb.trials_from_frame(frame[frame["round"] != 4], game)
    before = news_before(trials.sequences("receiver"), game)
    want = by_hand(trials.table, "receiver", "sender", partners == "fixed")
    assert [tuple(map(int, row)) for row in want] == list(
        zip(before.known.astype(int), before.bad.astype(int), before.since, strict=True)
    )
    table = trials.table.reset_index(drop=True)
    keys = table.groupby(["receiver", "treatment", "message"]).ngroup()
    assert keys.groupby(before.cell).nunique().max() == 1
    assert keys.nunique() == len(set(before.cell))


def test_what_was_not_shown_is_not_known():
    game = tb.FiniteGame(
        [1, 2, 3],
        treatments={"Blind": 1.0, "Open": 1.0},
        feedback=tb.Feedback("state", {"Blind": "none"}),
    )
    played = tb.simulate(
        game, sender=tb.LevelK("sender"), receiver=tb.LevelK("receiver"), subjects=4, rounds=10,
        seed=3,
    )  # fmt: skip
    trials = tb.trials_from_frame(played.trials, game)
    before = news_before(trials.sequences("receiver"), game)
    first = (trials.table["round"] <= 5).to_numpy()
    assert set(trials.table.loc[first, "treatment"]) == {"Blind"}
    assert not before.known[first].any()
    assert not before.since[first].any()
    assert before.known[~first & (trials.table["round"] > 6).to_numpy()].all()
