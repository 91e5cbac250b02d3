"""Variational inference: a normal approximation by stochastic gradients."""

from __future__ import annotations

import logging
import time

import pymc as pm

from trustbayes.inference.engines.compiled import Sampled, drawn
from trustbayes.inference.gate import Check
from trustbayes.inference.sampling import Sampling

_STEPS, _RATE = 20_000, 0.02
_BLOCK = 1_000
_GAP, _CHANGE = 1.0, 0.001


def _advi(model: pm.Model, sampling: Sampling, progress: bool) -> Sampled:
    started = time.perf_counter()
    log = logging.getLogger("pymc")  # reports the end whether there is a bar or not
    level = log.level
    log.setLevel(level if progress else logging.WARNING)
    try:
        with model:
            found = pm.fit(
                n=_STEPS,
                method="advi",
                obj_optimizer=pm.adam(learning_rate=_RATE),
                random_seed=sampling.seed,
                progressbar=progress,
            )
    finally:
        log.setLevel(level)
    last, before = (found.hist[-_BLOCK:], found.hist[-2 * _BLOCK : -_BLOCK])
    change = float(abs(last.mean() - before.mean()) / abs(last.mean()))
    tree = found.sample(sampling.chains * sampling.draws, random_seed=sampling.seed)
    posterior = tree["posterior"].to_dataset()
    shape = sampling.chains, sampling.draws
    arrays = {
        str(name): array.to_numpy().reshape(*shape, *array.shape[2:])
        for name, array in posterior.data_vars.items()
    }
    check = Check("change of the bound at the end, share", change, _CHANGE, True)
    return drawn(model, arrays, {"approximate": time.perf_counter() - started}, check)
