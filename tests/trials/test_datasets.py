"""Fetching public data, against a server on this machine."""

import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.games import read_game
from trustbayes.trials.datasets import DATASETS, bundled, data_folder, fetch, published
from trustbayes.trials.table import read_trials

NAME = "ioannidis-2024"


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(folder):
        handler = partial(QuietHandler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def local_copy(shared, serve, monkeypatch):
    """The registry, pointing at the shared copy on a local server."""
    folder = shared / "data" / NAME
    content = (folder / "experimental_data.csv").read_bytes()
    entry = replace(
        DATASETS[NAME],
        sources={f"{serve(folder)}/experimental_data.csv": hashlib.sha256(content).hexdigest()},
    )
    monkeypatch.setitem(DATASETS, NAME, entry)
    return folder


@pytest.fixture
def fetched(local_copy, tmp_path):
    return fetch(NAME, cache=tmp_path / "cache")


def test_the_fetched_trials_are_the_pairs_of_the_experiment(fetched, local_copy):
    ours, theirs = pd.read_csv(fetched), pd.read_csv(local_copy / "pairs.csv")
    key = ["round", "sender_id"]
    merged = ours.merge(theirs, on=key, suffixes=("", "_pairs"), validate="one_to_one")
    assert len(ours) == len(theirs) == len(merged) == 7680
    same = [c for c in theirs if c not in [*key, "matching_group"]]
    for column in same:
        assert (merged[column] == merged[f"{column}_pairs"]).all(), column
    groups = merged[["matching_group", "matching_group_pairs"]].drop_duplicates()
    assert len(groups) == groups["matching_group"].nunique() == 32


def test_each_side_keeps_its_own_answers(fetched, local_copy):
    ours = pd.read_csv(fetched)
    raw = pd.read_csv(local_copy / "experimental_data.csv").drop_duplicates("id_sub")
    answers = raw.set_index("id_sub")[["risk", "crt", "trust_sender", "trust_receiver"]]
    steps = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree"]
    steps = {words: number for number, words in enumerate([*steps, "Strongly agree"], 1)}
    answers = answers.assign(**{c: answers[c].map(steps) for c in answers if "trust" in c})
    for role in ("sender", "receiver"):
        for column in answers:
            expected = ours[f"{role}_id"].map(answers[column])
            assert (ours[f"{role}_{column}"] == expected).all()


def test_the_fetched_file_reads_with_its_game_file(fetched):
    trials = read_trials(fetched, DATASETS[NAME].game)
    assert len(trials.table) == 7671
    assert [e.rows for e in trials.exclusions] == [9]
    assert trials.treatments == ("Low", "Medium", "Large")
    assert len(trials.subjects("sender")) == len(trials.subjects("receiver")) == 128
    assert len(set(trials.fold("sender").groups)) == 32


def test_nothing_of_participant_codes_and_demographics_is_written(fetched, local_copy):
    raw = pd.read_csv(local_copy / "experimental_data.csv", dtype=str)
    raw = raw.assign(participantcode="secret", age="99", gender="secret")
    table = DATASETS[NAME].convert(raw)
    assert not (table.astype(str) == "secret").any(axis=None)
    assert "age" not in table.columns


def test_a_download_is_not_repeated(fetched, local_copy, tmp_path):
    again = fetch(NAME, cache=tmp_path / "cache", url="http://127.0.0.1:9/nobody-listens")
    assert again == fetched
    assert {p.name for p in fetched.parent.iterdir()} == {f"{NAME}.csv", f"{NAME}-source.csv"}


def test_a_server_that_does_not_answer(tmp_path):
    with pytest.raises(InputError, match="the server cannot be reached"):
        fetch(NAME, cache=tmp_path, url="http://127.0.0.1:9/data.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there(serve, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="the server answered 404"):
        fetch(NAME, cache=tmp_path / "cache", url=f"{serve(empty)}/data.csv")


def test_another_file_than_the_pinned_one(serve, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "data.csv").write_text("id_sub\n1\n")
    with pytest.raises(InputError, match=r"SHA-256 cbeee424.* is another"):
        fetch(NAME, cache=tmp_path / "cache", url=f"{serve(served)}/data.csv")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_is_no_folder(local_copy, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="a folder to write to"):
        fetch(NAME, cache=blocked)


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(InputError, match=r"'ioannidis-2042', expected 'ioannidis-2024'"):
        fetch("ioannidis-2042")


def test_the_bundled_data_are_found(data):
    assert data_folder().samefile(data)
    assert bundled().trials.parent == data_folder() / "simulated-forecast"


def test_the_registry_pins_one_version_of_the_source():
    [url] = DATASETS[NAME].sources
    assert url.endswith("564764aef21882d5d2f214ad7c782d3ec46ff52b/Data/Experimental%20Data.csv")
    for url in DATASETS["oey-vul-2022"].sources:
        assert "RationalLying/55a3960e41cf134098ef5be87d6ebbbbaf8ea0bb/model/" in url
    for entry in DATASETS.values():
        assert entry.game.is_file()
        assert entry.licence
        assert entry.citation


def test_two_files_become_one_of_people_in_both_roles(shared, serve, tmp_path, monkeypatch):
    """The source's layout, made from the shared copy under other codes in another order."""
    table = pd.read_csv(shared / "data" / "oey-lying" / "trials.csv", dtype=str)
    raw = pd.DataFrame(
        {
            "": range(len(table)),
            "subjID": "sona-" + table["person"].str.zfill(5),
            "trialNumber": table["trial"],
            "role": table["role"],
            "util": table["payoff"],
            "p": table["base_rate"],
            "k": table["drawn"],
            "ksay": table["reported"],
            "callBS": table["challenge"].map({"0": "FALSE", "1": "TRUE"}),
            "lie": (table["drawn"] != table["reported"]).astype(int),
        }
    ).iloc[::-1]
    served = tmp_path / "served"
    served.mkdir()
    sources, address = {}, serve(served)
    for role, rows in raw.groupby("role"):
        content = rows.to_csv(index=False)
        (served / f"{role}.csv").write_text(content)
        sources[f"{address}/{role}.csv"] = hashlib.sha256(content.encode()).hexdigest()
    name = "oey-vul-2022"
    monkeypatch.setitem(DATASETS, name, replace(DATASETS[name], sources=sources))
    with pytest.raises(InputError, match="2, one for each file"):
        fetch(name, cache=tmp_path / "cache", url=address)
    found = fetch(name, cache=tmp_path / "cache")
    pd.testing.assert_frame_equal(pd.read_csv(found, dtype=str), table)
    trials = read_trials(found, DATASETS[name].game)
    assert trials.subjects("sender") == trials.subjects("receiver")
    assert (len(trials.subjects("sender")), len(trials.treatments)) == (212, 6)


def test_the_published_slopes_are_those_of_the_theory():
    table = published()
    assert list(table.columns) == [
        "study", "place", "treatment", "regression", "coefficient", "standard_error", "subjects",
        "source",
    ]  # fmt: skip
    found = table.pivot_table(
        ["coefficient", "standard_error"], ["study", "place", "subjects"], "regression"
    )
    assert found.loc[("original", "", 8)].tolist() == [0.662, 0.643, 0.070, 0.052]
    assert found.loc[("replication", "Cornell", 44)].tolist() == [0.609, 0.716, 0.051, 0.046]
    assert found.loc[("replication", "Michigan", 46)].tolist() == [0.587, 0.749, 0.051, 0.046]
    assert len(table) == 6


def test_the_published_treatments_are_those_of_the_game():
    game = read_game(data_folder() / "games" / "ozc-2011.toml")
    assert set(published()["treatment"]) - {""} <= set(game.treatments)
