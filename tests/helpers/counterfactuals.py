"""Looking up what a policy does."""


def effect(counterfactual, policy, outcome="payoff", party="both", treatment="all"):
    """The row of an outcome under a policy."""
    rows = counterfactual.effects
    keys = {"policy": policy, "outcome": outcome, "party": party, "treatment": treatment}
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    [row] = rows.to_dict("records")
    return row
