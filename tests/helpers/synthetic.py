"""Small trials and fits made by hand, for tests that need no sampler."""

import numpy as np
import pandas as pd
import xarray as xr

from trustbayes.games import Feedback, FiniteGame
from trustbayes.inference.fit import FORMAT, Fit
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling, versions
from trustbayes.models import Model
from trustbayes.priors.prior import Prior
from trustbayes.trials.table import Trials, trials_from_frame

TREATMENTS = {"Low": 0.5, "High": 1.0}


def small_trials(
    seed: int = 1,
    pairs: int = 4,
    rounds: int = 12,
    states: int = 3,
    feedback: Feedback | None = None,
) -> Trials:
    """Random play: what is chosen after what has no meaning, which tests of formulas want."""
    rng = np.random.default_rng(seed)
    game = FiniteGame(list(range(1, states + 1)), treatments=TREATMENTS, feedback=feedback)
    names = list(TREATMENTS)
    rows = [
        {
            "sender": f"s{pair}",
            "receiver": f"r{pair}",
            "round": number,
            "treatment": names[number % 2],
            "state": rng.integers(1, states + 1),
            "message": rng.integers(1, states + 1),
            "action": rng.integers(1, states + 1),
        }
        for number in range(1, rounds + 1)
        for pair in range(pairs)
    ]
    return trials_from_frame(pd.DataFrame(rows), game, "small")


def synthetic_fit(
    model: Model, trials: Trials, seed: int = 1, chains: int = 2, draws: int = 50
) -> Fit:
    """A fit whose draws are independent random numbers in each parameter's support."""
    rng = np.random.default_rng(seed)
    units = model.fold(trials)
    model = model.fixed_to(units)
    coords = {"subject": list(units.subjects), "treatment": list(units.treatments)}
    coords |= {name: list(labels) for name, labels in model.shares.items()}
    if trials.game.kind == "finite":
        coords["message"] = [f"{m:g}" for m in trials.game.messages]
    data = {}
    for parameter in model.parameters:
        if parameter.support == "simplex":
            name = parameter.name
            shares = rng.dirichlet(np.ones(len(model.shares[name])), size=(chains, draws))
            data[f"{name}_share"] = (("chain", "draw", name), shares)
            if isinstance(model.priors[name].arguments.get("tau"), Prior):
                depth = np.exp(0.3 * rng.normal(size=(chains, draws)))
                data[f"{name}_tau"] = (("chain", "draw"), depth)
            continue
        dims = [d for d in ("subject", "treatment") if d in model.varies[parameter.name]]
        dims += [parameter.option] if parameter.option else []
        shape = (chains, draws, *(len(coords[d]) for d in dims))
        raw = rng.normal(size=shape) * 0.7
        natural = {"positive": np.exp, "unit": lambda v: 1 / (1 + np.exp(-v)), "real": np.array}
        data[parameter.name] = (("chain", "draw", *dims), natural[parameter.support](raw))
        prior = model.priors[parameter.name]
        if prior.hierarchical and "subject" in dims:
            over = [d for d in dims if d != "subject"]
            size = (chains, draws, *(len(coords[d]) for d in over))
            for argument, given in prior.arguments.items():
                if not isinstance(given, Prior):
                    continue
                by_treatment = parameter.name not in model.formulas  # whose intercept is one
                along = over if argument == prior.family.location and by_treatment else []
                values = np.exp(0.3 * rng.normal(size=size if along else (chains, draws)))
                data[f"{parameter.name}_{argument}"] = (("chain", "draw", *along), values)
    for name, formula in model.formulas.items():
        coords[f"{name}_term"] = list(formula.columns)
        over = [f"{name}_term"]
        if name in model.shares:
            coords[f"{name}_contrast"] = list(model.shares[name][1:])
            over.insert(0, f"{name}_contrast")
        size = (chains, draws, *(len(coords[d]) for d in over))
        data[f"{name}_slope"] = (("chain", "draw", *over), 0.5 + 0.3 * rng.normal(size=size))
        if formula.grouped:
            coords["group"] = list(formula.known.groups)
            effect = 0.2 * rng.normal(size=(chains, draws, len(coords["group"])))
            data[f"{name}_group_effect"] = (("chain", "draw", "group"), effect)
            spread = np.exp(rng.normal(-1.5, 0.2, size=(chains, draws)))
            data[f"{name}_group_sigma"] = (("chain", "draw"), spread)
    used = {d for dims, _ in data.values() for d in dims}
    posterior = xr.Dataset(data, coords={k: v for k, v in coords.items() if k in used})
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros((chains, draws), dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=(chains, draws))),
        }
    )
    sampling = Sampling(draws=draws, tune=1, chains=chains, seed=seed)
    manifest = {
        "format": FORMAT,
        "key": fit_key(model, trials, sampling),
        "model": model.to_dict(),
        "conventions": dict(model.resolve_conventions(trials.game)),
        "parametrisation": {p.name: "centred" for p in model.parameters},
        "game": trials.game.to_dict(),
        "game_checksum": trials.game.checksum,
        "data": {
            "source": trials.source,
            "checksum": trials.checksum,
            "exclusions": [[e.column, e.value, e.rows] for e in trials.exclusions],
        },
        "sampler": {"name": "random numbers", **vars(sampling)},
        "versions": versions(),
        "created": "2026-01-01T00:00:00+00:00",
        "seconds": {"compile": 0.0, "sample": 0.0},
    }
    return Fit(model, trials.game, units, posterior, stats, manifest)
