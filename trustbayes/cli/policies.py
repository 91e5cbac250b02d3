"""The command on policies: policy."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trustbayes.cli.options import (
    NOT_CONVERGED,
    Invocation,
    Json,
    Quiet,
    Whole,
    check_targets,
    exit_code,
    messages,
    read_warned,
    watched,
)
from trustbayes.cli.printing import frame_table, print_json, print_tables
from trustbayes.cli.terminal import plain
from trustbayes.errors import Fault, InputError
from trustbayes.files import csv_text, write_or_keep, write_whole

__all__ = ["policy"]


def policy(
    sender: Path,
    receiver: Path | None = None,
    /,
    *,
    policies: Path,
    people: Literal["these", "new"] = "these",
    expectations: Literal["held", "respond"] = "held",
    rounds: Whole | None = None,
    matching: Literal["random", "fixed"] | None = None,
    draws: Whole | None = None,
    seed: Whole = 1,
    trials: Path | None = None,
    game: Path | None = None,
    out: Path = Path("reports/policy.html"),
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes policy",
) -> int:
    """Say what policies would do to what people earn, and to trust.

    Example: `trustbayes policy sender.nc receiver.nc --policies policies.toml --out policy.html`

    Parameters
    ----------
    sender : Path
        A fit of senders, as `trustbayes fit` wrote it; of recommendations, which have no senders,
        that of receivers.
    receiver : Path, optional
        A fit of receivers of the same game.
    policies : Path
        TOML file with a table [policies.NAME] for each policy.
    people : "these" or "new"
        The people of the experiment, or others from their population.
    expectations : "held" or "respond"
        Whether the trust that senders expect follows the trust that receivers give.
    rounds : int, optional
        How many rounds people play who learn.
    matching : "random" or "fixed", optional
        Whether people who learn meet others in every round, or one partner throughout. Default: as
        the game says.
    draws : int, optional
        How many posterior draws to use. Default: 400, and 40 where rounds are played.
    seed : int
        The same seed gives the same numbers.
    trials : Path, optional
        CSV file of the trials: the models are then fitted without each treatment in turn, and
        predict it, which says how far a policy is to be trusted. Takes as long as these fits.
    game : Path, optional
        Game file of the trials.
    out : Path
        The report; its numbers are written beside it as JSON, and its effects as CSV.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    check_targets(out)
    if (trials is None) != (game is None):
        missing, given = ("--trials", game) if trials is None else ("--game", trials)
        raise InputError(Fault(missing, "", f"a file that goes with {given}"))
    import pandas as pd

    from trustbayes.inference.fit import load_fit
    from trustbayes.report.studies import study_report
    from trustbayes.simulation.policies import counterfactual, read_policies

    chosen = read_policies(policies)
    table = out.with_name(f"{out.stem}.effects.csv")
    csv_text(
        pd.DataFrame({"policy": [each.name for each in chosen]}), table.name
    )  # before the work
    fits = [load_fit(path) for path in (sender, receiver) if path is not None]
    data = None if trials is None or game is None else read_warned(trials, game)
    with messages(quiet):
        effect = counterfactual(
            fits[0] if len(fits) > 1 else None,
            fits[-1],
            chosen,
            seed=seed,
            people=people,
            expectations=expectations,
            rounds=rounds,
            matching=matching,
            draws=draws,
            check=data,
            progress=watched(quiet),
        )
    written = write_or_keep(lambda path: study_report(effect, path, invocation), out)
    write_whole({table: csv_text(effect.effects, table.name)})
    if as_json:
        numbers = effect.to_dict()
        places = {"report": str(written.html), "results": str(written.results)}
        print_json(places | {"effects_csv": str(table)} | numbers)
    else:
        columns = ["policy", "treatment", "break_even", "lower", "upper", "cautious", "p_pays"]
        print_tables([frame_table("What each policy may cost in a meeting", effect.costs[columns])])
        print(plain(effect.text))
        if effect.unseen is not None:
            print(effect.unseen.text)
        print(f"report: {written.html}\nresults: {written.results}\neffects: {table}")
    if effect.unseen is not None and not effect.unseen.table["converged"].all():
        return NOT_CONVERGED
    return exit_code(fits)
