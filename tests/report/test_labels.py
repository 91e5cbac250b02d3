"""Names with any characters reach a reader as they stand in the data, and do nothing on the way."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from pages import Page

from trustbayes.errors import InputError
from trustbayes.games import FiniteGame
from trustbayes.inference.fit import load_fit
from trustbayes.report import write_report
from trustbayes.trials.table import read_trials, trials_from_frame

ODD = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><b onclick='x'>",
    "&lt;b&gt; &amp;",
    "a/b\\c..: *?",
    "100 % {x} {{ y }} ${z} %s",
    "José",
    "被験者 №1",
    "испытуемый, β",
    "$\\frac{1}$ & $x",
    "=cmd|' /C calc'!A0",
    "`quoted` [red]",
]
_NAMES = ["sender", "receiver", "round", "treatment", "bias", "state", "message", "action"]


def odd_trials():
    """Random play, in which everything that has a name has an odd one."""
    rng = np.random.default_rng(1)
    game = FiniteGame([1, 2, 3], name=ODD[0] + ODD[3])
    rows = [
        (f"s {ODD[who]}", f"r {ODD[11 - who]}", i, ODD[treatment], 0.5 + treatment % 2,
         *rng.integers(1, 4, 3))
        for i, treatment in enumerate([*range(12), *range(12)])
        for who in range(6)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=_NAMES)
    table["group"] = table["sender"].map(lambda name: ODD[0] if "<" in name else ODD[8])
    table[f"receiver_{ODD[1]}"] = table["receiver"].astype("category").cat.codes + 0.5
    table[f"sender_{ODD[4]}"] = table["sender"].map(lambda name: f"level {name}")
    return trials_from_frame(table, game, f"{ODD[2]}.csv")


@pytest.fixture(scope="module")
def analysis(analyse_made_up):
    return analyse_made_up(odd_trials(), ["trust-embedded", "level-k", "mixture"])


@pytest.fixture(scope="module")
def written(analysis, tmp_path_factory):
    path = tmp_path_factory.mktemp("naïve folder") / "a report, 被験者 100 %.html"
    return write_report(analysis, path, f"trustbayes report {ODD[0]} {ODD[2]}")


@pytest.mark.slow
def test_nothing_of_the_data_is_markup(written):
    page, allowed = Page(written.html.read_text("utf-8")), re.compile(r"data:|#")
    assert not page.all("script")
    assert not page.all("b")
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href"):
            assert allowed.match(attributes.get(name) or "#"), (tag, attributes)


@pytest.mark.slow
def test_names_are_read_back_as_they_stand_in_the_data(written, analysis):
    text = written.html.read_text("utf-8")
    assert "could not be drawn" not in text
    cells = " ".join(cell for row in Page(text).rows for cell in row)
    assert [name for name in ODD if name not in cells] == []
    found = json.loads(written.results.read_text("utf-8"))
    people = {row["subject"] for row in found["subjects"]}
    assert people == {f"s {name}" for name in ODD[:6]} | {f"r {name}" for name in ODD[6:]}
    treatments = {row["treatment"] for row in found["population"]} - {None, ""}
    assert treatments == set(ODD)


def test_names_are_the_same_in_the_file_of_a_fit(analysis, tmp_path):
    fit = analysis.fits["trust-embedded", "receiver"]
    read = load_fit(fit.save(tmp_path / "被験者 <b> 100 %.nc"))
    assert read.units.treatments == fit.units.treatments
    assert set(read.units.treatments) == set(ODD)
    assert read.units.subjects == fit.units.subjects
    assert set(read.units.groups) == {ODD[0], ODD[8]}
    assert ODD[1] in read.units.people


@pytest.mark.parametrize("unseen", ["\x1b[2J", "\x07", "\u202e", "\u2028", "\x9b"])
def test_what_cannot_be_seen_is_refused_by_its_character(unseen, tmp_path):
    table = odd_trials().table.astype(str)
    for column in ("sender", "treatment", "group"):
        changed = table.copy()
        changed.loc[3, column] = f"a{unseen}b"
        path = tmp_path / "trials.csv"
        changed.to_csv(path, index=False)
        with pytest.raises(InputError) as raised:
            read_trials(path, FiniteGame([1, 2, 3]))
        assert f"without {unseen[0]!r}" in str(raised.value)


def test_composed_and_other_accents_are_one_name(tmp_path):
    table = odd_trials().table.astype(str)
    for number, name in enumerate(("Jos\u00e9", "Jose\u0301")):
        table.loc[table.index[number::2], "group"] = name
    table.to_csv(tmp_path / "trials.csv", index=False)
    read = read_trials(tmp_path / "trials.csv", FiniteGame([1, 2, 3]))
    assert set(read.table["group"]) == {"Jos\u00e9"}
