"""Long calibrations go on from what earlier runs wrote."""

import json
import sys

import pandas as pd
import pooled_calibration


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
    kept = pd.read_csv(tmp_path / "pooled_calibration_level_k_sender_kept.csv")
    ranks = [json.loads(record)["ranks"]["level, beyond 0: spread"] for record in kept["record"]]
    assert sorted(ranks) == [0, 7, 14, 21, 28]
    numbers = pd.read_csv(tmp_path / "pooled_calibration_level_k_sender.csv")
    assert list(numbers["number"]) == ["level, beyond 0: spread", "level, beyond 0: pooled mean"]
