"""The report on what people's traits predict: a table, a figure and a sentence."""

import re
from dataclasses import replace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from synthetic import synthetic_fit
from traited import GAME, planted_trials

from trustbayes.estimates.traits import trait_effects
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.report import results, write_report
from trustbayes.report.figures.traits import average_effects, average_effects_says
from trustbayes.report.page.style import style
from trustbayes.trials.table import trials_from_frame

HOSTILE = "<b>NL</b>"
TITLES = {"trust-embedded": "Trust-embedded", "level-k": "Level-k"}


@pytest.fixture(scope="module")
def made(analyse_made_up):
    table = planted_trials().table
    table = table.assign(receiver_country=table["receiver_country"].replace("NL", HOSTILE))
    trials = trials_from_frame(table, GAME, "traits")
    analysis = analyse_made_up(trials, ["trust-embedded", "level-k"])
    fits = dict(analysis.fits)
    for one in (
        TrustEmbedded("receiver", formulas={"trust": "1 + crt + country + (1 | group)"}),
        LevelK("sender", formulas={"level": "1 + crt"}),
    ):
        fits[one.name, one.role] = synthetic_fit(one, trials, chains=4, draws=500)
    effects = [trait_effects(fit, 0.9) for fit in fits.values() if fit.model.formulas]
    return replace(analysis, fits=fits, traits=pd.concat(effects, ignore_index=True))


def test_the_section_stands_in_the_report(made, tmp_path, undrawn):
    written = write_report(made, tmp_path / "r.html")
    page = written.html.read_text(encoding="utf-8")
    section = page[page.index('id="traits"') :]
    assert "What people&#39;s traits predict" in section
    assert "Trust-embedded, receivers: trust by 1 + crt + country + (1 | group)" in section
    assert HOSTILE not in page
    assert "&lt;b&gt;NL&lt;/b&gt; against" in page or "against &lt;b&gt;NL&lt;/b&gt;" in page
    # Every average effect and coefficient has its row.
    rows = len(results(made)["traits"])
    tables = re.findall(r"<tbody>.*?</tbody>", section, flags=re.DOTALL)[:2]
    assert sum(one.count("<tr") for one in tables) == rows == len(made.traits) > 10


def test_without_formulas_there_is_no_section(analyse_made_up, tmp_path, undrawn):
    plain = analyse_made_up(planted_trials(), ["trust-embedded", "level-k"])
    page = write_report(plain, tmp_path / "r.html").html.read_text(encoding="utf-8")
    assert 'id="traits"' not in page


def test_the_figure_has_a_panel_for_each_parameter_and_unit(made):
    with style():
        figure = average_effects(made.traits, TITLES, 0.9)
    panels = {(panel.get_title(), panel.get_xlabel()) for panel in figure.axes}
    assert panels == {
        ("Trust-embedded, receivers:\ntrust α", "change in share, 0 to 1"),
        ("Level-k, senders:\nlevel k", "change in share of subjects"),
        ("Level-k, senders:\nlevel k", "change in levels"),
    }
    low, high = figure.axes[0].get_xlim()
    assert low == -high
    plt.close(figure)


def test_the_sentence_names_the_sure_effects(made):
    traits = made.traits.copy()
    sure = (traits["term"] == "crt") & (traits["parameter"] == "trust")
    traits["positive"] = sure.map({True: 0.99, False: 0.5})
    text = average_effects_says(traits, 0.9)
    assert re.fullmatch(
        r"With a probability of at least 0\.95 there is more trust of receivers by crt, "
        r"1 sd \([\d.]+\) \(trust-embedded\)\. Bars: 90 % intervals\.",
        text.replace("\N{NO-BREAK SPACE}", " "),
    )
    traits["positive"] = 0.5
    assert average_effects_says(traits, 0.9).startswith("No effect has one sign")
