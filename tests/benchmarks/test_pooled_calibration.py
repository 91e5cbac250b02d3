"""Long calibrations go on from what earlier runs wrote."""

import sys

import pandas as pd
import pooled_calibration
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


def test_a_run_keeps_all_of_its_studies_and_the_next_repeats_none(tmp_path, monkeypatch):
    made = []

    def study(task):
        made.append(task.seed)
        ranks = {"level, beyond 0: spread": 7 * task.seed, "level, beyond 0: pooled mean": 50}
        return {"ranks": ranks, "fits": 0, "pooled": "", "error": 0.1}

    monkeypatch.setattr(pooled_calibration, "simulate_and_pool", study)
    for count, folder in ((3, "first"), (5, "second")):
        arguments = ["--simulations", count, "--jobs", 1, "--folder", tmp_path / folder]
        command = ["pooled_calibration.py", *arguments, "--out", tmp_path]
        monkeypatch.setattr(sys, "argv", list(map(str, command)))
        pooled_calibration.main()
    assert made == [0, 1, 2, 3, 4]
    ranks = pd.read_csv(tmp_path / "pooled_calibration_level_k_sender_ranks.csv")
    assert list(ranks["level, beyond 0: spread"]) == [0, 7, 14, 21, 28]
