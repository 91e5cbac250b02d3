"""A script that makes fits in two processes, for tests that stop it: FOLDER, then a go-ahead."""

import sys
from pathlib import Path

from synthetic import small_trials

from trustbayes.manyfits import FitTask, process_pool, run_fits
from trustbayes.models import FullTrust
from trustbayes.sampling import Sampling


def tasks(size=6):
    sampling = [Sampling(draws=400, tune=100, chains=2, seed=seed) for seed in range(size)]
    return [FitTask(FullTrust("sender"), small_trials(), how) for how in sampling]


if __name__ == "__main__":
    with process_pool(1) as pool:
        run_fits(tasks(), Path(sys.argv[1]), pool, progress=False)
