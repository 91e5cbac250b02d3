"""What a benchmark keeps of simulations between runs."""

import json

from kept import put_down, take_up


def test_what_was_kept_is_taken_up_and_what_is_there_stays(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    made = {"seed": 3, "table": {"rank": [1, 2], "pit": [0.123456789, None]}, "reason": 'a "b", c'}
    (first / "a.json").write_text(json.dumps(made))
    (first / "b.json").write_text(json.dumps({"seed": 4}))
    put_down(tmp_path / "kept.csv", first)
    second.mkdir()
    (second / "b.json").write_text(json.dumps({"seed": 5}))
    take_up(tmp_path / "kept.csv", second)
    read = {file.name: json.loads(file.read_text()) for file in second.iterdir()}
    assert read["b.json"] == {"seed": 5}
    assert read["a.json"] == {**made, "table": {"rank": [1, 2], "pit": [0.12346, None]}}


def test_where_nothing_was_kept_nothing_is_taken_up(tmp_path):
    take_up(tmp_path / "kept.csv", tmp_path / "fits")
    assert list(tmp_path.iterdir()) == []
