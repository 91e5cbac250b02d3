"""Long calibrations go on from what earlier runs wrote."""

import pandas as pd
from pooled_calibration import PooledSimulation, as_row, kept_studies, tests as uniformity


def test_ranks_come_back_from_their_table(tmp_path):
    assert kept_studies(tmp_path / "none.csv") == {}
    studies = {
        PooledSimulation("level-k", "sender", seed).key: {
            "ranks": {"level, beyond 0: spread": 10 * seed, "level, beyond 0: pooled mean": 3},
            "fits": seed,
            "pooled": "rhat 1.2 mean" if seed else "",
            "error": 0.05 if seed else float("nan"),
        }
        for seed in range(3)
    }
    rows = [as_row(key, study) for key, study in studies.items()]
    pd.DataFrame(rows).to_csv(tmp_path / "ranks.csv", index=False)
    kept = kept_studies(tmp_path / "ranks.csv")
    assert list(kept) == list(studies)
    for seed, study in enumerate(kept.values()):
        assert study["ranks"] == {
            "level, beyond 0: spread": 10 * seed,
            "level, beyond 0: pooled mean": 3,
        }
        assert (study["fits"], bool(study["pooled"])) == (seed, seed > 0)
        assert (study["error"] == 0.05) == (seed > 0)
    assert len(uniformity(list(kept.values()))) == 2
