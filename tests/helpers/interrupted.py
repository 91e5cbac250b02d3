"""A script that makes fits in two processes, for tests that stop it: FOLDER, then a go-ahead."""

import sys
from pathlib import Path

from synthetic import small_trials

from trustbayes.inference.executors import process_pool
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.models import FullTrust


def tasks(size=6):
    sampling = [Sampling(draws=400, tune=100, chains=2, seed=seed) for seed in range(size)]
    return [FitTask(FullTrust("sender"), small_trials(), how) for how in sampling]


if __name__ == "__main__":
    with process_pool(1) as pool:
        run_fits(tasks(), Path(sys.argv[1]), pool, progress=False)
