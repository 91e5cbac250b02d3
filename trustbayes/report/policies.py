"""The part of a report on what policies would do."""

from __future__ import annotations

from functools import partial
from typing import Any

from trustbayes.report.figures.policies import (
    effects_figure,
    effects_says,
    frontier_figure,
    frontier_says,
    paths_figure,
    paths_says,
    unseen_figure,
    unseen_says,
)
from trustbayes.report.page.picture import Picture, render
from trustbayes.report.page.section import Section
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import fixed, number, percent, probability
from trustbayes.simulation.policies import Counterfactual
from trustbayes.simulation.policies.frontier import Frontier
from trustbayes.simulation.policies.unseen import Unseen

__all__ = ["UNCHECKED", "policies_section"]

UNCHECKED = (
    "No treatment was left out to see whether these models foresee one that they have not seen. "
    "A policy is trusted as far as they do: `trustbayes policy --trials TRIALS --game GAME` checks "
    "it, and the scores of `trustbayes holdout` say it of each theory."
)


def policies_section(counterfactual: Counterfactual, titles: dict[str, str]) -> Section:
    """What policies would do, as a section whose parts are the frontiers and the check.

    Parameters
    ----------
    counterfactual : Counterfactual
    titles : dict of str to str
        What models are called.
    """
    people = "the people of the experiment" if counterfactual.people == "these" else "new people"
    who = " and ".join(
        f"{titles.get(name, name)} ({role}s)" for role, name in counterfactual.models.items()
    )
    intro = (
        f"What {people} would earn and do if the game, or they, were changed, as {who} have them. "
        "They meet at random, with the same chances under every policy."
    )
    effects = Picture(
        "policies-effects",
        "What each policy would change",
        partial(effects_figure, counterfactual),
        partial(effects_says, counterfactual),
    )
    effects_only = counterfactual.effects["round"] == "all"
    parts = [] if effects_only.all() else [_paths(counterfactual)]
    parts += [_frontier(frontier, counterfactual) for frontier in counterfactual.frontiers]
    parts.append(Section("held", "What is taken not to change", items=list(counterfactual.held)))
    parts.append(_check(counterfactual.unseen))
    return Section(
        "policies",
        "What would build trust",
        f"What would build trust? {effects_says(counterfactual).partition('. ')[0]}",
        texts=[intro],
        items=list(counterfactual.sentences),
        tables=[_costs(counterfactual), _effects(counterfactual)],
        pictures=[render(effects)],
        parts=parts,
    )


def _who(counterfactual: Counterfactual) -> str:
    return "both together" if counterfactual.together == "both" else "receivers"


def _costs(counterfactual: Counterfactual) -> Table:
    rows = [
        (
            row["policy"],
            row["treatment"],
            number(row["break_even"]),
            f"{number(row['lower'])} to {number(row['upper'])}",
            number(row["cautious"]),
            number(row["cost"]),
            percent(row["p_pays"]),
        )
        for row in counterfactual.costs.to_dict("records")
    ]
    caption = (
        f"What a policy may cost in a meeting: what {_who(counterfactual)} would earn more (payoff "
        "units), "
        f"{probability(counterfactual.ci_prob)} intervals. Cautious: the quantile "
        f"{counterfactual.caution:g} of the gain. Pays: probability that it earns more than it "
        "costs."
    )
    header = "policy|treatment|break-even cost|interval|cautious|cost|pays"
    return table(caption, header, rows, (0, 1))


_BESIDE = (
    ("share", "both"),
    ("share", "receiver"),
    ("inflation", "sender"),
    ("discount", "receiver"),
    ("trust", "receiver"),
    ("expected trust", "sender"),
)
"""What stands beside the payoffs: outcome and party."""


def _effects(counterfactual: Counterfactual) -> Table:
    """Payoffs of both with all that is said of them; of the rest the means and their changes."""
    effects: Any = counterfactual.effects[counterfactual.effects["round"] == "all"]
    together = counterfactual.together
    beside = [
        key
        for key in _BESIDE
        if (effects["outcome"] == key[0]).any() and (key[0] != "share" or key[1] == together)
    ]
    shown = []
    for (policy, treatment), rows in effects.groupby(["policy", "treatment"], sort=False):
        by_outcome = rows.set_index(["outcome", "party"])
        both = by_outcome.loc[("payoff", together)]
        shown.append(
            (
                policy,
                treatment,
                number(both["mean"]),
                _difference(both),
                fixed(both["p_above_0"]),
                fixed(both["p_matters"]),
                *(_change(by_outcome, key) for key in beside),
            )
        )
    caption = (
        f"What people would earn and do. Payoff of {_who(counterfactual)}: mean, difference to "
        f"what is, paired by draw and chance ({probability(counterfactual.ci_prob)} intervals), "
        f"probability that it is above 0, and above {percent(counterfactual.smallest)} of the way "
        "from babbling to full trust. Then means, with their changes in brackets. The numbers "
        "beside this page have every outcome, party and interval."
    )
    header = "policy|treatment|payoff|difference|above 0|matters"
    header += "".join(f"|{outcome}" for outcome, _ in beside)
    return table(caption, header, shown, (0, 1))


def _difference(row: Any) -> str:
    if row["difference"] != row["difference"]:  # NaN: what is, or nothing to compare with
        return "\N{EN DASH}"
    bounds = f"{number(row['difference_lower'])} to {number(row['difference_upper'])}"
    return f"{number(row['difference'])} ({bounds})"


def _change(rows: Any, key: tuple[str, str]) -> str:
    if key not in rows.index:
        return "\N{EN DASH}"
    row = rows.loc[key]
    change = row["difference"]
    if change != change or change == 0:
        return fixed(row["mean"])
    sign = "+" if change > 0 else ""
    return f"{fixed(row['mean'])} ({sign}{fixed(change)})"


def _frontier(frontier: Frontier, counterfactual: Counterfactual) -> Section:
    number_ = counterfactual.frontiers.index(frontier) + 1
    picture = Picture(
        f"frontier-{number_}",
        f"Net gain over {frontier.over}",
        partial(frontier_figure, frontier, counterfactual.caution),
        partial(frontier_says, frontier, counterfactual.ci_prob),
    )
    rows = [
        (
            number(row["strength"]),
            number(row["cost"]),
            f"{number(row['gain'])} ({number(row['gain_lower'])} to {number(row['gain_upper'])})",
            f"{number(row['net'])} ({number(row['net_lower'])} to {number(row['net_upper'])})",
            number(row["cautious"]),
            percent(row["p_pays"]),
        )
        for row in frontier.table.to_dict("records")
    ]
    shown = table(
        f"{frontier.policy}: what {_who(counterfactual)} gain in a meeting, and net of the cost.",
        f"{frontier.over}|cost|gain|net gain|cautious|pays",
        rows,
        (),
    )
    return Section(
        f"frontier-{number_}-part",
        f"How strong? {frontier.policy}",
        tables=[shown],
        pictures=[render(picture)],
    )


def _paths(counterfactual: Counterfactual) -> Section:
    effects = counterfactual.effects
    moved = (effects["outcome"] == "trust") & (effects["round"] != "all")
    outcomes = [("payoff", counterfactual.together)]
    outcomes = [("trust", "receiver"), *outcomes] if moved.any() else outcomes
    pictures = [
        Picture(
            f"paths-{outcome}",
            f"{outcome.capitalize()} over the rounds",
            partial(paths_figure, counterfactual, outcome, party),
            partial(paths_says, counterfactual, outcome, party),
        )
        for outcome, party in outcomes
    ]
    return Section("paths", "Round by round", pictures=[render(picture) for picture in pictures])


def _check(unseen: Unseen | None) -> Section:
    if unseen is None:
        return Section("unseen", "How far to trust it", notes=[UNCHECKED])
    picture = Picture(
        "unseen-treatments",
        "Treatments predicted that were left out",
        partial(unseen_figure, unseen),
        partial(unseen_says, unseen),
    )
    rows = [
        (
            row["role"],
            row["treatment"],
            f"{row['known']} of {row['people']}",
            fixed(row["observed"]),
            f"{fixed(row['predicted'])} ({fixed(row['lower'])} to {fixed(row['upper'])})",
            "yes" if row["covered"] else "NO",
            fixed(row["others"]),
            "yes" if row["converged"] else "NO",
        )
        for row in unseen.table.to_dict("records")
    ]
    shown = table(
        "Each treatment left out, the models fitted to the others with parameters that are the "
        "same in all of them: mean inflation of messages (senders) and discount of actions "
        f"(receivers), in units of the state, with {probability(unseen.ci_prob)} intervals of "
        "replications.",
        "role|treatment|people known|observed|predicted|inside|in the others|converged",
        rows,
        (0, 1, 5, 7),
    )
    return Section("unseen", "How far to trust it", tables=[shown], pictures=[render(picture)])
