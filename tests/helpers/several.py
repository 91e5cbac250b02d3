"""Several experiments pooled without sampling them."""

import pytest
from priorfit import prior_fit
from synthetic import small_trials

import trustbayes.inference.tasks as manyfits
from trustbayes.inference.sampling import Sampling
from trustbayes.pooling.pool import pool
from trustbayes.pooling.pooled_study import PooledStudy
from trustbayes.pooling.study import Study, StudyExperiment

SAMPLING = Sampling(draws=100, tune=60, chains=2, seed=4, method="nuts")


def made_up_study() -> PooledStudy:
    """Random play and priors in the place of fits, which makes every interval wide."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manyfits, "fit", prior_fit)
        experiments = [
            StudyExperiment("<b>first</b>", small_trials(1), 2011, "Somebody & others (2011)"),
            StudyExperiment("second", small_trials(2), covariates={"stakes": 12.0}),
        ]
        study = Study(experiments, models=["trust-embedded", "full-trust"], roles=["receiver"])
        return pool(study, sampling=SAMPLING, progress=False)
