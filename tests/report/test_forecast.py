"""What the report of a forecast-sharing game says and draws beyond what all reports do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic import synthetic_fit

from trustbayes.games import ForecastGame, Market
from trustbayes.games.game import KINDS
from trustbayes.inference.joint import JointFit
from trustbayes.models import SPECS, Joint, TrustEmbedded, model_names
from trustbayes.report import results, write_report
from trustbayes.report.figures import gap as gap_figure, people, worth as worth_figure
from trustbayes.report.figures.planted_types import type_coverage
from trustbayes.report.figures.truth import coverage
from trustbayes.report.games.continuous import choices, patterns, raw, slopes
from trustbayes.report.games.continuous.tables import slope_table
from trustbayes.report.games.forecast import tables
from trustbayes.report.games.patterns import mean_shifts
from trustbayes.report.games.registry import kind_of
from trustbayes.report.model_sections import _gap
from trustbayes.report.page import picture
from trustbayes.report.page.style import Encoded, look
from trustbayes.report.page.wording import fixed, number
from trustbayes.report.tables import gap_table, gate_table, worth_table
from trustbayes.report.typical import typical_values
from trustbayes.trials.table import trials_from_frame

ROLES = ("sender", "receiver")
WORDS = patterns.words_of(ForecastGame())


@pytest.fixture(scope="module")
def made(make_analysis):
    return make_analysis(kind="forecast-sharing", names=["trust-embedded", "mixture"])


@pytest.fixture(scope="module")
def trials(made):
    return made.trials


@pytest.fixture(scope="module")
def found(made):
    return results(made)


@pytest.mark.parametrize("role", ROLES)
def test_shifts_are_those_of_the_checks(made, role):
    table = mean_shifts(made.trials, kind_of(made.trials.game), role, 0.9)
    observed = made.posterior_checks["trust-embedded", role].shift["observed"]
    assert table["mean"].to_numpy() == pytest.approx(observed.to_numpy())


def test_inflation_and_discount_are_above_zero_where_shown(found):
    """The trials exaggerate and discount; the results have choice minus face value."""
    shifts = found["experiment"]["shifts"]
    assert min(row["mean"] for row in shifts["sender"]) > 0
    assert max(row["mean"] for row in shifts["receiver"]) < 0
    assert kind_of(ForecastGame()).words["receiver"].sign == -1


@pytest.mark.parametrize("role", ROLES)
def test_means_in_bins_are_those_of_the_checks(made, role):
    table = patterns.means(made.trials, role)
    check = made.posterior_checks["trust-embedded", role].choices
    assert table["treatment"].tolist() == check["treatment"].tolist()
    for mine, theirs in (("seen", "seen"), ("mean", "observed"), ("trials", "trials")):
        assert table[mine].to_numpy() == pytest.approx(check[theirs].to_numpy())


@pytest.mark.parametrize("role", ROLES)
def test_slopes_are_least_squares_by_treatment(trials, role):
    table = patterns.slopes(trials, role, 0.9)
    own = table[table["sample"] == patterns.OWN].set_index("treatment")
    choices_ = patterns.choices(trials, role)
    for treatment, here in choices_.groupby("treatment"):
        slope = np.polyfit(here["seen"], here["choice"], 1)[0]
        assert own.loc[treatment, "coefficient"] == pytest.approx(slope)
    half = (table["upper"] - table["lower"]) / 2
    assert (half / table["standard_error"]).to_numpy() == pytest.approx(1.6449, abs=1e-4)


def test_published_slopes_stand_beside_those_of_their_own_game_only(trials):
    published = patterns.slopes(trials, "sender", 0.9).query("sample != @patterns.OWN")
    assert published["coefficient"].tolist() == [0.643, 0.716, 0.749]
    assert published["treatment"].tolist() == ["CHUH", "", ""]
    assert published["subjects"].tolist() == [8, 44, 46]
    other = replace(trials, game=ForecastGame(mean_demand=251))
    assert set(patterns.slopes(other, "sender", 0.9)["sample"]) == {patterns.OWN}


def test_tables_hold_the_numbers_of_the_results(found):
    shown = slope_table(found, WORDS).rows
    for role, rows in found["experiment"]["slopes"].items():
        for row in rows:
            mine = [one for one in shown if one[0].startswith(WORDS[role].choice)]
            assert any(
                one[1:4]
                == (row["sample"], row["treatment"] or "not stated", f"{row['coefficient']:.3f}")
                for one in mine
            )
    treatments = {row[0]: row[1:7] for row in tables.treatment_table(found).rows}
    assert treatments["CLUL"] == ("15", "25", "0.800", "15.0", "10.0", "340")
    assert treatments["CHUH"] == ("60", "75", "0.200", "−45.0", "120", "159")
    design = dict(row for row in tables.design_table(found).rows)
    assert design["rounds"] == "24"
    assert design["pairs that met"] == "4"


def guides(role):
    """Lines behind choices of one treatment, by theory."""
    game = ForecastGame()
    specs = [s for s in SPECS if (s.role, s.kind) == (role, game.kind) and s.guide]
    seen = np.linspace(*game.seen_range(role), 601)
    return {spec.name: spec.guide.line(game, "CHUL", seen, 17.0) for spec in specs}


def test_guides_are_the_theorys_formulas():
    truth, babbling, first = map(guides("sender").get, ("full-trust", "babbling", "level-k"))
    assert (truth.choice == truth.seen).all()
    assert set(babbling.choice) == {17.0}
    assert first.choice == pytest.approx(np.minimum(first.seen + 40, 150))
    credulous, babbling, first = map(guides("receiver").get, ("full-trust", "babbling", "level-k"))
    assert credulous.choice == pytest.approx(250 + credulous.seen - 15)
    assert set(babbling.choice) == {160.0}
    reached = first.seen >= -150 + 40
    assert first.choice[reached] == pytest.approx(250 + first.seen[reached] - 40 - 15)
    assert first.last == pytest.approx((150, 363.28), abs=0.01)


def test_a_single_huge_capacity_leaves_the_panels_as_they_are_and_is_counted(made, trials):
    rows = trials.table.copy()
    rows.loc[rows.index[0], "action"] = 1e6
    strange = replace(made, trials=trials_from_frame(rows, trials.game, "strange.csv"))
    assert raw.window(strange.trials, "receiver")[1] < 1000
    assert "1 trial beyond the panels" in raw.scatter_says(strange, "receiver")
    assert "beyond" not in raw.scatter_says(made, "receiver")
    low, high = raw.window(trials, "receiver")
    assert low < trials.table["action"].min()
    assert high > 445  # the credulous capacity in CLUH after the highest report


def test_bands_say_where_the_model_misses(made):
    text = choices.bands_says(made, "sender", ["trust-embedded"])
    check = made.posterior_checks["trust-embedded", "sender"].choices
    out = (check["observed"] < check["lower"]) | (check["observed"] > check["upper"])
    assert f"{out.sum()} of {len(check)} observed means" in text


def test_slopes_are_said_with_the_published_ones(made):
    text = slopes.slope_figure_says(made)
    assert "published: 0.64 (original, CHUH), 0.72 (replication, Cornell)" in text
    assert "do not tell the theories apart" in text


def test_the_answer_speaks_of_trust_and_theories_not_of_noise(made):
    text = " ".join(typical_values(made))
    assert "response noise" not in text
    assert "habit" not in text
    assert "payoff units per unit of |report - forecast|" in text
    assert "Mixture, share of theory w, senders" in text
    assert " for trust-embedded" in text
    assert text.count("Mixture") == 2  # one sentence for each role


def test_estimates_that_own_trials_cannot_give_are_counted_as_left_out(made):
    told = ("trust-embedded", "sender", "lying_aversion")
    alone = made.subjects["alone"].where(made.subjects["subject"] != "s1")
    lacking = replace(made, subjects=made.subjects.assign(alone=alone))
    assert "Left out: 1 estimate of which" in people.shrinkage_says(lacking, *told)
    full = replace(made, subjects=made.subjects.assign(alone=1.0))
    assert "Left out" not in people.shrinkage_says(full, *told)


def test_worth_says_who_gains_less_and_more_than_by_trust(made):
    text = worth_figure.way_to_trust_says(made.worth, 0.9)
    low, middle, *high = made.trials.treatments  # at -0.5, 0.5, 1.5 and 2.5 of the way
    assert f"Less than under babbling, by the whole interval: senders in {low}; " in text
    both = f"both together in {' and '.join(high)}. Bars"
    assert both in text.split("More than under full trust")[1]
    assert (
        f"has gone −50 % (−55 % to −45 %) in {low}, 50 % (45 % to 55 %) in {middle}"
        in text.replace("\N{NO-BREAK SPACE}", " ")
    )


def test_a_table_holds_what_trust_is_worth(found):
    rows = worth_table(found).rows
    assert len(rows) == len(found["worth"]) == 12
    for shown, row in zip(rows, found["worth"], strict=True):
        assert shown[0] == row["treatment"]
        assert shown[2] == number(row["profit"], 4)
        assert shown[6] == fixed(row["share"])
        assert row["share_interval"] == [pytest.approx(row["share"] - d) for d in (0.05, -0.05)]


def test_what_is_not_identified_does_not_count():
    rows = pd.DataFrame(
        {
            "role": "sender",
            "model": "mixture",
            "parameter": "lying_aversion",
            "symbol": "β",
            "unit": "",
            "covered": [True, False, False],
            "identified": [True, True, False],
        }
    )
    [row] = coverage(rows).to_dict("records")
    assert (row["subjects"], row["covered"], row["share"]) == (2, 1, 0.5)
    assert row["unidentified"] == 1
    [none] = coverage(rows.assign(identified=False)).to_dict("records")
    assert (none["subjects"], none["unidentified"]) == (0, 3)
    assert np.isnan(none["share"])


def test_types_at_corners_are_counted_apart():
    rows = pd.DataFrame(
        {
            "role": "receiver",
            "subject": list("abcd"),
            "planted": ["level 0", "level 0", "babbling", "level 2"],
            "found": ["trust-embedded", "level 0", "babbling", "level 1"],
            "probability": [0.3, 0.6, 0.9, 0.2],
            "corner": [True, False, False, False],
            "rival": ["trust-embedded", "", "", ""],
        }
    )
    [row] = type_coverage(rows).to_dict("records")
    assert (row["right"], row["subjects"], row["share"]) == (2, 4, 0.5)
    assert (row["free_right"], row["free"], row["free_share"]) == (2, 3, pytest.approx(2 / 3))


def test_every_model_has_a_look_of_its_own():
    for kind in KINDS:
        looks = [look(name) for name in model_names(kind)]
        assert len({(each.colour, each.marker) for each in looks}) == len(looks)


@pytest.mark.parametrize("role", ROLES)
def test_one_role_alone_has_a_report(role, analyse_made_up, trials, monkeypatch, tmp_path):
    monkeypatch.setattr(picture, "encode", lambda draw: draw() and Encoded("data:,", 1, 1))
    columns = {"sender": ["receiver", "action"], "receiver": ["sender", "state"]}
    game = ForecastGame(treatments={"CHUH": Market(60.0, 75.0)}, largest_capacity=400)
    rows = trials.table[trials.table["treatment"] == "CHUH"].drop(columns=columns[role])
    alone = trials_from_frame(rows, game, "alone.csv")
    text = write_report(analyse_made_up(alone), tmp_path / "report.html").html.read_text("utf-8")
    assert "could not be drawn" not in text
    assert "What trust is worth" not in text
    assert "pairs that met" not in text


def test_the_gap_is_told_where_it_is_sure(made):
    text = gap_figure.expected_and_given_says(made.gap, 0.9)
    first, *between, last = made.trials.treatments
    assert f"senders expect more trust than receivers give in {first} (by 0.49)" in text
    assert f"less trust than receivers give in {last} (by 0.49)" in text
    assert not any(name in text for name in between)
    none = gap_figure.expected_and_given_says(made.gap.assign(more=0.5), 0.9)
    assert none.startswith("In no treatment do senders expect")


def test_a_table_holds_the_gap(found):
    rows = gap_table(found).rows
    assert len(rows) == len(found["gap"]["rows"]) == 4
    for shown, row in zip(rows, found["gap"]["rows"], strict=True):
        assert shown[0] == row["treatment"]
        assert (shown[1], shown[3], shown[5]) == tuple(
            fixed(row[name]) for name in ("expected", "given", "gap")
        )
        assert row["gap_interval"] == pytest.approx([row["gap"] - 0.1, row["gap"] + 0.1])
    assert found["gap"]["joint"] is False


def test_a_joint_fit_is_told_and_must_pass_the_gate(made):
    trials = made.trials
    models = {role: TrustEmbedded(role, trials.game) for role in trials.roles}
    joint = Joint(models["sender"], models["receiver"])
    halves = {role: synthetic_fit(model, trials) for role, model in models.items()}
    together = replace(made, joint=JointFit(joint, **halves))
    assert not together.converged  # 100 random draws are too few for the gate
    told = results(together)
    assert told["gate"][-1]["role"] == "both"
    assert told["gap"]["joint"] is True
    table = gate_table(told, "both", {})
    assert "both roles together" in table.caption
    assert {row[0] for row in table.rows} == {"joint trust-embedded and trust-embedded"}
    [text] = _gap(together, together.gap, told, {}).texts
    assert "Normal(mu=0, sigma=1)" in text
