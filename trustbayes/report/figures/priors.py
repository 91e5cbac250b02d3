"""What priors say: of choices before any data, and of parameters beside what the data say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.estimates.population import Quantity, population_pairs
from trustbayes.inference.fit import Fit
from trustbayes.models import Model
from trustbayes.models.draws import prior_draws
from trustbayes.report.games.patterns import as_shown
from trustbayes.report.games.registry import kind_of
from trustbayes.report.page.style import GREY, PRIOR, brief, grid, look, style, wrapped
from trustbayes.report.page.wording import probability
from trustbayes.simulation import predictive_check
from trustbayes.trials.table import Trials

__all__ = ["plot_prior_posterior", "plot_prior_predictive"]

_BINS = 40
_SEEN = 0.01  # of the draws that lie beyond each end of an axis


def plot_prior_predictive(
    model: Model, trials: Trials, *, draws: int = 300, seed: int = 0, ci_prob: float = 0.9
) -> np.ndarray:
    """Draw what a model expects of choices before it has seen any: no fit is needed.

    Subjects are drawn from populations that are drawn from the priors, and meet the same states or
    messages as those of the trials; what the subjects of the trials chose plays no part.

    Parameters
    ----------
    model : Model
    trials : Trials
        Their subjects, treatments, and what they saw.
    draws : int
        Of the priors.
    seed : int
    ci_prob : float
        Probability of the intervals, which are equal-tailed.

    Returns
    -------
    array of matplotlib Axes
        For each treatment what is chosen after what is seen, such as the share of each message in
        each state; and last the mean shift by treatment, such as exaggeration: means over the
        draws, and intervals.

    Raises
    ------
    InputError
        If the trials lack the model's role, or are of another kind of game; if a prior in code
        does not make what its parameters need.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> tb.plot_prior_predictive(tb.TrustEmbedded("sender"), trials)  # doctest: +SKIP
    """
    model.check_kind(trials.game)
    if model.role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {model.role}"))
    drawn = prior_draws(model, trials.game, model.fold(trials), draws, seed)
    check = predictive_check(drawn, "prior", seed, ci_prob)
    kind, treatments = kind_of(trials.game), trials.treatments
    words = kind.words[model.role]
    with style():
        figure, axes = grid(len(treatments) + 1, 3, width=3.8, height=2.7, shown=True)
        for panel, treatment in zip(axes, treatments, strict=False):
            kind.panel(panel, check, trials, model.role, treatment)
            panel.set_title(brief(treatment, 40), pad=14)
        shift, last, x = as_shown(check.shift, words.sign), axes[-1], np.arange(len(treatments))
        spans = np.abs(shift[["lower", "upper"]].to_numpy().T - shift["mean"].to_numpy())
        last.axhline(0, color=GREY, lw=0.8, zorder=0)
        last.errorbar(x, shift["mean"], spans, fmt=PRIOR.marker, color=PRIOR.colour, capsize=3)
        last.set_xticks(x, [brief(name, 60 // len(x)) for name in treatments])
        last.set_xlim(-0.5, len(x) - 0.5)
        last.set_xlabel("treatment")
        last.set_ylabel(f"{wrapped(f'mean {words.shift}', 20)}\n({words.unit})")
        last.set_title(words.drift, pad=14)
        figure.suptitle(
            f"{model.spec.title}, {model.role}s, before any data: means over {draws} draws from "
            f"the priors, {probability(ci_prob)} intervals",
            fontsize=9,
        )
    return np.array(axes)


def plot_prior_posterior(
    fit: Fit, parameters: Sequence[str] | None = None, *, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """Draw the posterior of population quantities over their priors.

    Parameters
    ----------
    fit : Fit
    parameters : sequence of str, optional
        Names of parameters, or of variables in the code of priors; default: all.
    draws : int
        Of the priors.
    seed : int

    Returns
    -------
    array of matplotlib Axes
        A panel for each quantity of `trustbayes.population_estimates`: prior in grey, posterior
        in colour.

    Raises
    ------
    InputError
        If a parameter is unknown or has no population quantity (with a suggestion), or a prior is
        code that is not at hand, see `trustbayes.load_fit`.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fit = tb.load_fit("receiver.nc")  # doctest: +SKIP
    >>> tb.plot_prior_posterior(fit, ["trust"])  # doctest: +SKIP
    """
    pairs = population_pairs(fit, prior_draws(fit.model, fit.game, fit.units, draws, seed))
    known = list(dict.fromkeys(after.parameter.name for after, _ in pairs))
    faults = [
        Fault("plot of prior and posterior, parameter", parameter, suggestion(parameter, known))
        for parameter in parameters or ()
        if parameter not in known
    ]
    if faults:
        raise InputError(faults)
    chosen = [pair for pair in pairs if pair[0].parameter.name in (parameters or known)]
    colour = look(fit.model.name).colour
    with style():
        figure, axes = grid(len(chosen), 3, width=3.6, height=2.4, shown=True)
        for panel, (after, before) in zip(axes, chosen, strict=True):
            _densities(panel, after, before, colour)
        figure.suptitle(
            f"{fit.model.spec.title}, {fit.model.role}s: what the data add to the priors",
            fontsize=9,
        )
    return np.array(axes)


def _densities(panel: Axes, after: Quantity, before: Quantity, colour: str) -> None:
    ends = np.quantile(before.values, [_SEEN, 1 - _SEEN])
    low = min(float(ends[0]), float(after.values.min()))
    high = max(float(ends[1]), float(after.values.max()))
    for values, shade, label in (
        (before.values, GREY, "prior"),
        (after.values, colour, "posterior"),
    ):
        inside = values[(values >= low) & (values <= high)]
        if np.ptp(values) == 0:  # given, not estimated
            panel.axvline(values[0], color=shade, label=label)
            continue
        counts, edges = np.histogram(inside, _BINS)
        height = counts / values.size / np.diff(edges)
        panel.stairs(height, edges, fill=True, color=shade, alpha=0.5, label=label)
    place = ", ".join(part for part in (after.treatment, after.option) if part)
    name = f"{after.parameter.name.replace('_', ' ')} {after.parameter.symbol}".strip()
    panel.set_title(f"{name}: {after.statistic}" + (f"\n{brief(place, 40)}" if place else ""))
    panel.set_xlabel(wrapped(after.unit))
    panel.set_ylabel("density")
    panel.legend()
