"""What several experiments say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trustbayes.comparison import SubjectScores
from trustbayes.files import plain, records
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.sampling import Sampling
from trustbayes.pooling.population import PooledPopulation
from trustbayes.pooling.stages import Transfer
from trustbayes.pooling.study import Study
from trustbayes.pooling.verdicts import PooledVerdict, differences, predicted_best, totals

__all__ = ["Key", "PooledStudy", "by_model"]

Key = tuple[str, str, Role]
"""Names of an experiment and of a theory, and the role."""


@dataclass(frozen=True, eq=False)
class PooledStudy:
    """What several experiments say together.

    Parameters
    ----------
    study : Study
    sampling : Sampling
    fits : mapping of (experiment, model name, role) to Fit
        Of each experiment alone.
    scores : mapping of (experiment, model name, role) to SubjectScores
        Of new people of the same experiment.
    transfers : mapping of (experiment, model name, role) to Transfer
        Of the people of an experiment, from the others; empty with one experiment.
    populations : mapping of (model name, role) to PooledPopulation
        Of experiments; theories of which no two experiments share a number have none.
    unsettled : tuple of (experiment, model name, role)
        Experiments left out where the population of the others did not pass the gate.
    verdicts, carries_over : mapping of role to PooledVerdict
        Over all experiments, of new people of the same experiments, and of experiments left out.
    between : float
        Scale of the prior of spreads between experiments.
    ci_prob : float
        Probability of all intervals.
    """

    study: Study
    sampling: Sampling
    fits: Mapping[Key, Fit]
    scores: Mapping[Key, SubjectScores]
    transfers: Mapping[Key, Transfer]
    populations: Mapping[tuple[str, Role], PooledPopulation]
    unsettled: tuple[Key, ...]
    verdicts: Mapping[Role, PooledVerdict]
    carries_over: Mapping[Role, PooledVerdict]
    between: float
    ci_prob: float

    @property
    def titles(self) -> dict[str, str]:
        """Of the theories."""
        return {fit.model.name: fit.model.spec.title for fit in self.fits.values()}

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whose choices were fitted."""
        return tuple(self.verdicts)

    @property
    def converged(self) -> bool:
        """Whether every fit, and every population of experiments, can be relied on."""
        fits = all(fit.gate.passed for fit in self.fits.values())
        pooled = all(p.gate.passed and not p.astray for p in self.populations.values())
        return fits and pooled and not self.unsettled

    def of_people(self, role: Role) -> dict[str, dict[str, Any]]:
        """Scores of new people of the same experiments, by theory and experiment."""
        return by_model({key: score.elpd for key, score in self.scores.items()}, role)

    def of_new_experiments(self, role: Role) -> dict[str, dict[str, Any]]:
        """Scores of the people of experiments that were left out, by theory and experiment."""
        return by_model({key: transfer.elpd for key, transfer in self.transfers.items()}, role)

    def comparison(self, role: Role, new_experiments: bool = False) -> pd.DataFrame:
        """Sums over all experiments, best first, see `trustbayes.pooling.verdicts.totals`.

        Parameters
        ----------
        role : "sender" or "receiver"
        new_experiments : bool
            Of the people of experiments that were left out, instead of new people of the same.
        """
        return totals(self.of_new_experiments(role) if new_experiments else self.of_people(role))

    def leads(self, role: Role, new_experiments: bool = False) -> pd.DataFrame:
        """The lead of the best theory over each other, experiment by experiment.

        Returns
        -------
        DataFrame
            Columns model and other, and those of `trustbayes.pooling.verdicts.differences`.
        """
        scores = self.of_new_experiments(role) if new_experiments else self.of_people(role)
        order = list(self.comparison(role, new_experiments).index)
        parts = [
            differences(scores, order[0], other).assign(model=order[0], other=other)
            for other in order[1:]
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @property
    def parameters(self) -> pd.DataFrame:
        """Pooled means, spreads and experiments, see `PooledPopulation.table`."""
        parts = [population.table(self.ci_prob) for population in self.populations.values()]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    @property
    def carried(self) -> pd.DataFrame:
        """How people are predicted from their own experiment, and from the others alone.

        Returns
        -------
        DataFrame
            Columns experiment, model, role, people, loso (nats, from the others of the same
            experiment), loeo (from other experiments), loss (a person, by not knowing the
            experiment), error (Monte Carlo, of loeo), nats (of integration, at most).
        """
        rows = []
        for key, transfer in self.transfers.items():
            loso, loeo = float(self.scores[key].elpd.sum()), float(transfer.elpd.sum())
            size = len(transfer.labels)
            loss = (loso - loeo) / size
            rows.append((*key, size, loso, loeo, loss, transfer.error, transfer.nats))
        columns = ["experiment", "model", "role", "people", "loso", "loeo", "loss", "error", "nats"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, JSON-safe."""
        study = self.study
        form = {
            "title": study.title,
            "experiments": [
                {
                    "name": experiment.name,
                    "year": experiment.year,
                    "citation": experiment.citation,
                    "covariates": dict(experiment.covariates),
                    "game": experiment.game.name,
                    "kind": experiment.game.kind,
                    "source": experiment.trials.source,
                    "checksum": experiment.trials.checksum,
                    "people": {
                        role: len(experiment.trials.subjects(role)) for role in experiment.roles
                    },
                }
                for experiment in study.experiments
            ],
            "between": self.between,
            "ci_prob": self.ci_prob,
            "converged": self.converged,
            "roles": {role: self._of_role(role) for role in self.roles},
            "parameters": records(self.parameters),
            "carried": records(self.carried),
            "gates": {
                **{", ".join(key): fit.gate.to_dict() for key, fit in self.fits.items()},
                **{
                    f"{name}, {role}, all experiments": population.gate.to_dict()
                    | {"error": population.error}
                    for (name, role), population in self.populations.items()
                },
            },
        }
        numbers: dict[str, Any] = plain(form)
        return numbers

    def _of_role(self, role: Role) -> dict[str, Any]:
        form: dict[str, Any] = {
            "verdict": vars(self.verdicts[role]),
            "comparison": records(self.comparison(role).reset_index()),
            "leads": records(self.leads(role)),
            "predicted_best": predicted_best(self.of_people(role)),
        }
        if role in self.carries_over:
            form["carries_over"] = vars(self.carries_over[role])
            form["left_out"] = records(self.comparison(role, True).reset_index())
            form["leads_left_out"] = records(self.leads(role, True))
        return form


def by_model(scores: Mapping[Key, Any], role: Role) -> dict[str, dict[str, Any]]:
    """What is by experiment, theory and role, of one role, by theory and experiment."""
    by_model: dict[str, dict[str, Any]] = {}
    for (experiment, name, of), score in scores.items():
        if of == role:
            by_model.setdefault(name, {})[experiment] = score
    return by_model
