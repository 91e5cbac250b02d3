"""The report says what its results say."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pages import Page

from trustbayes.comparison import HeldOut, verdict_rules
from trustbayes.games import Market
from trustbayes.inference.gate import Check, Gate
from trustbayes.report import results, write_report
from trustbayes.report.figures import persons
from trustbayes.report.page.page import Written
from trustbayes.report.page.style import style
from trustbayes.report.page.wording import interval, listed, number, percent, type_label
from trustbayes.report.tables import comparison_tables

SECTIONS = [
    "The experiment",
    "Which theory predicts better",
    "What each theory gets right and wrong",
    "The people",
    "The population, by treatment",
    "Convergence",
    "For a paper",
    "How it was made",
]


@pytest.fixture(scope="module")
def written(analysis, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return write_report(analysis, path, "trustbayes report trials.csv --game <game>.toml")


@pytest.fixture(scope="module")
def page(written):
    return Page(written.html.read_text("utf-8"))


def test_all_sections_stand_in_order(page):
    assert page.sections == [f"{i} {title}" for i, title in enumerate(SECTIONS, start=2)]


def test_the_page_needs_nothing_from_outside(written, page):
    text = written.html.read_text("utf-8")
    assert not re.search(r"https?:|//\w+\.", re.sub(r"base64,[\w+/=]+", "", text))
    assert not page.all("script")
    for tag, attrs in page.tags:
        for name in ("src", "href"):
            if attrs.get(name) is not None:
                assert attrs[name].startswith(("data:", "#")), (tag, attrs[name][:80])
    assert "url(" not in text
    assert "@import" not in text


def test_every_anchor_of_the_contents_exists(page):
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))
    assert {a["href"].removeprefix("#") for a in page.all("a")} <= set(names)


def test_every_figure_says_its_message(page):
    images = page.all("img")
    assert len(images) > 20
    assert all(len(image["alt"]) > 40 for image in images)
    assert not any("nan" in image["alt"] for image in images)


def test_every_figure_was_drawn(written):
    assert "could not be drawn" not in written.html.read_text("utf-8")


def test_the_page_is_small(written):
    assert written.html.stat().st_size < 3_000_000


def test_results_are_strict_json_with_the_promised_keys(written):
    found = json.loads(written.results.read_text("utf-8"), parse_constant=pytest.fail)
    assert {
        "gate", "comparison", "verdict", "population", "exclusions", "subjects", "types",
        "variants", "recovery", "type_recovery", "worth", "policies", "gap", "checks", "experiment",
        "how", "reliability", "people", "shares", "kfold", "rules",
    } <= set(found)  # fmt: skip
    assert set(found["comparison"][0]) == {
        "role", "unit", "criterion", "model", "elpd", "se", "elpd_diff", "dse", "other_sign",
        "p", "weight", "weight_bma", "warning",
    }  # fmt: skip
    assert set(found["verdict"]) == {"sender", "receiver"}
    assert set(found["verdict"]["sender"]) == {
        "winner", "text", "reason", "best", "rival", "lead", "error", "more", "unit", "other_sign",
    }  # fmt: skip
    assert {"model", "role", "passed", "checks"} <= set(found["gate"][0])
    assert {"model", "role", "parameter", "treatment", "mean", "interval"} <= set(
        found["population"][0]
    )


def test_results_lie_beside_the_report_under_a_name_of_their_own(analysis, tmp_path, undrawn):
    first = write_report(analysis, tmp_path / "report.html").results
    assert first == tmp_path / "report.json"
    before = first.read_bytes()
    write_report(analysis, tmp_path / "second.html", command="another")
    assert first.read_bytes() == before
    other = write_report(analysis, tmp_path / "sub" / "ioannidis-2024.html")
    assert other.results == tmp_path / "sub" / "ioannidis-2024.json"
    names = {f"{name}.{kind}" for name in ("report", "second") for kind in ("html", "json")}
    assert {p.name for p in tmp_path.iterdir()} == names | {"sub"}
    like = [tmp_path / name for name in ("pilot", "pilot.html", "pilot.htm", "pilot.HTML")]
    assert len({Written.at(path).results for path in like}) == len(like)


def test_tables_hold_the_numbers_of_the_results(written, page, analysis):
    found = json.loads(written.results.read_text("utf-8"))
    titles = {m: fit.model.spec.title for (m, _), fit in analysis.fits.items()}
    rows = [tuple(row) for row in page.rows]
    for row in found["comparison"]:
        numbers = [number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")]
        rest = [number(row["p"]), f"{row['weight']:.2f}", f"{row['weight_bma']:.2f}"]
        best = row["elpd_diff"] == 0
        sign = "–" if best else "<0.001" if row["other_sign"] < 1e-3 else f"{row['other_sign']:.3f}"
        assert any(
            shown[1:2] == (titles[row["model"]],)
            and list(shown[2:10]) == [*numbers, sign, *rest]
            and (row["criterion"] == "loso") == shown[0].startswith("new ")
            for shown in rows
        )
    for row in found["population"]:
        assert any(
            shown[0] == titles[row["model"]]
            and shown[4:6] == (number(row["mean"]), interval(*row["interval"]))
            and shown[6:7] == (interval(*row["prior_interval"]),)
            for shown in rows
        )
    for one in found["gate"]:
        for check in one["checks"]:
            assert any(
                shown[:3] == (titles[one["model"]], check["name"], number(check["value"], 4))
                for shown in rows
            )


def test_tables_hold_what_is_known_of_the_planted_values(written, page, analysis):
    found = json.loads(written.results.read_text("utf-8"))
    titles = {m: fit.model.spec.title for (m, _), fit in analysis.fits.items()}
    for row in found["recovery"]["coverage"]:
        start = [f"{titles[row['model']]}, {row['role']}s"]
        end = [number(row["covered"]), number(row["subjects"]), percent(row["share"])]
        end.append(number(row["unidentified"]))
        assert any(shown[:1] == start and shown[2:] == end for shown in page.rows)
    for row in found["type_recovery"]["by_role"]:
        shown = [number(row["right"]), number(row["subjects"]), percent(row["share"])]
        shown += [number(row["free_right"]), number(row["free"]), percent(row["free_share"])]
        assert [f"{row['role']}s", *shown] in page.rows
    for row in found["type_recovery"]["rows"]:
        if row["corner"]:
            types = [type_label(row["planted"]), type_label(row["rival"])]
            assert [f"{row['role']}s", *types, row["subject"]] in page.rows


def test_new_people_come_first_and_warnings_are_told_under_the_tables(written, page, analysis):
    text, found = written.html.read_text("utf-8"), results(analysis)
    for role in ("sender", "receiver"):
        kinds = [row["criterion"] for row in found["comparison"] if row["role"] == role]
        assert kinds[0] == "loso"
        people, trials = comparison_tables(found, role, {m: m for m, _ in analysis.fits})
        assert {row[0] for row in people.rows} <= {"new person, LOSO", "new group, LOGO"}
        assert people.rows[0][0] == "new person, LOSO"
        assert "whom it has not seen" in people.caption
        assert "no prediction of a new person" in trials.caption
        for table, chosen in ((people, "loso"), (trials, "")):
            said = {(row[1], n) for row in table.rows for n in row[10].split(", ") if n}
            warned = {
                (row["model"], one)
                for row in found["comparison"]
                if row["role"] == role and (row["criterion"] == "loso") == bool(chosen)
                for one in row["warning"].split("; ")
                if one
            }
            assert {(model, table.notes[int(n) - 1]) for model, n in said} == warned
            assert all(note in text for note in table.notes)
    assert verdict_rules() in text
    assert "No k-fold, which refits every model" in text


def test_what_makes_a_score_doubtful_is_shown(written, page, analysis):
    found, rows = json.loads(written.results.read_text("utf-8")), [tuple(r) for r in page.rows]
    text = written.html.read_text("utf-8")
    for role, comparison in analysis.comparisons.items():
        titles = {m: fit.model.spec.title for (m, r), fit in analysis.fits.items() if r == role}
        for unit, kind in (("subject", "new person, LOSO"), ("group", "new group, LOGO")):
            for name, one in comparison.scores.get(unit, {}).items():
                high = [u for u, k in zip(one.labels, one.pareto_k, strict=True) if k > one.good_k]
                [row] = [
                    row
                    for row in found["reliability"]
                    if (row["role"], row["unit"], row["model"]) == (role, unit, name)
                ]
                assert row["unreliable"] == high
                assert row["integration_error"] == pytest.approx(sum(one.error))
                start = (kind, titles[name], str(len(one.labels)), "40", f"{max(one.pareto_k):.2f}")
                error = f"{sum(one.error):.2f}" if sum(one.error) >= 0.01 else "<0.01"
                shown = (*start, f"{one.good_k:.2f}", str(len(high)), error)
                assert shown in [cells[:8] for cells in rows]
                if high and unit == "subject":
                    note = text.split(f"for some {role}s, whose Pareto k is too large: ")[1]
                    assert f"{titles[name]} ({listed(high)})" in note.split("They were")[0]


def test_every_person_has_a_place(written, page, analysis):
    found, rows = json.loads(written.results.read_text("utf-8")), [tuple(r) for r in page.rows]
    for role in ("sender", "receiver"):
        scores = analysis.comparisons[role].elpd_by_unit("subject")
        scores = scores.drop(columns=["mixture", "hybrid"], errors="ignore")
        totals = scores.sum().sort_values()
        people = found["people"][role]
        assert (people["best"], people["second"]) == (totals.index[-1], totals.index[-2])
        counts = dict.fromkeys([*totals.index, "corner"], 0)
        for row in people["rows"]:
            own = scores.loc[row["subject"]]
            assert row["difference"] == pytest.approx(own[people["best"]] - own[people["second"]])
            assert row["favourite"] == own.idxmax()
            counts["corner" if row["corner"] else row["favourite"]] += 1
        assert {row["model"]: row["subjects"] for row in found["shares"][role]} == counts
        for row in found["shares"][role]:
            name = row["model"]
            label = (
                "at a corner" if name == "corner" else analysis.fits[name, role].model.spec.title
            )
            assert (label, str(row["subjects"]), percent(row["subjects"] / 4)) in rows


def test_the_figure_of_people_shows_their_scores_and_probabilities(analysis):
    for role in analysis.trials.roles:
        people = analysis.people[role].copy()
        people["corner"] = [True, False, True, False]
        changed = replace(analysis, people={**analysis.people, role: people})
        with style():
            above, below = persons.person_by_person(changed, role).axes
        points = {
            (round(x), y): line.get_markerfacecolor() == "white"
            for line in above.lines
            if line.get_linestyle() == "None"
            for x, y in zip(*line.get_data(), strict=True)
        }
        expected = dict(zip(enumerate(people["difference"]), people["corner"], strict=True))
        assert points == pytest.approx(expected)
        names = [label.get_text() for label in below.get_xticklabels()]
        assert names == people["subject"].tolist()
        types = analysis.types[(analysis.types["model"] == "mixture")]
        types = types[types["role"] == role].set_index(["subject", "type"])["probability"]
        levels = [sum(types[name, f"level {k}"] for k in range(4)) for name in names]
        theories = analysis.fits["mixture", role].model.shares["theory"]
        chances = {name: levels if name == "level-k" else None for name in theories}
        for theory, container in zip(theories, below.containers, strict=True):
            shown = [bar.get_height() for bar in container]
            wanted = chances[theory] or [types[name, theory] for name in names]
            assert shown == pytest.approx(wanted)
        says = persons.person_by_person_says(changed, role)
        assert f"predicts {(people['difference'] > 0).sum()} of 4 {role}s" in says
        assert f"stand 2 ({names[0]} and {names[2]})" in says
        none = replace(analysis, people={role: people.assign(corner=False)})
        assert persons.person_by_person_says(none, role).endswith("None stands at a corner.")


@pytest.mark.usefixtures("undrawn")
def test_subjects_at_a_corner_are_named_among_the_people(analysis, tmp_path):
    role = "receiver"
    corner = analysis.people[role]["subject"].isin(["r1", "r3"]).to_numpy()
    people = analysis.people[role].assign(corner=corner, favourite="level-k")
    people["rival"] = np.where(corner, "babbling", "")
    changed = replace(analysis, people={**analysis.people, role: people})
    parsed = Page(write_report(changed, tmp_path / "report.html").html.read_text("utf-8"))
    assert ["Level-k", "Babbling", "2", "r1, r3"] in parsed.rows


@pytest.mark.usefixtures("undrawn")
def test_real_refits_are_shown_where_they_were_made(analysis, tmp_path):
    role = "sender"
    comparison = analysis.comparisons[role]
    labels = comparison.scores["subject"][comparison.models[0]].labels
    rows = [
        (model, 1 + i % 2, label, False, 12, -20.0 - place - i, 0.01, 0.1, True)
        for place, model in enumerate(comparison.models)
        for i, label in enumerate(labels)
    ]
    columns = ["model", "fold", "unit", "known", "trials", "elpd", "error", "pareto_k", "reliable"]
    good, bad = (Gate((Check("R-hat", value, 1.01, True),)) for value in (1.0, 2.0))
    gates = {(model, fold): good for model in comparison.models for fold in (1, 2)}
    last = comparison.models[-1]
    gates[last, 2] = bad
    split = "2-fold by subject: new subjects, predicted from all others"
    table = pd.DataFrame(rows, columns=columns)
    held = HeldOut(comparison.basis, split, "subject", table, gates)
    made = replace(analysis, kfolds={role: held})
    written = write_report(made, tmp_path / "report.html")
    found = json.loads(written.results.read_text("utf-8"))["kfold"]
    assert set(found) == {role}
    assert found[role]["agreement"]["lead"] == pytest.approx(len(labels))
    parsed = Page(written.html.read_text("utf-8"))
    for place, model in enumerate(comparison.models):
        name = analysis.fits[model, role].model.spec.title
        score = -sum(20 + place + i for i in range(len(labels)))
        gap = number(-float(place * len(labels)))
        shown = [row for row in parsed.rows if row[:2] == [name, number(float(score))]]
        assert [gap, str(int(model == last)), "0"] in [
            [row[3], *row[5:]] for row in shown if len(row) == 7
        ]
    text = written.html.read_text("utf-8")
    assert "A k-fold, with real refits of every model, was made" in text
    assert "1 of the k-fold&#39;s refits of senders" in text


def test_types_have_names_of_their_own(written):
    text = written.html.read_text("utf-8")
    assert "level level" not in text
    assert "level trust-embedded" not in text
    assert re.search(r"most probable type, \d trust-embedded, \d level 0,", text)


def test_results_repeat_the_analysis(analysis):
    found = results(analysis)
    table = analysis.comparisons["receiver"].rows("trial", "waic")
    shown = [
        row
        for row in found["comparison"]
        if (row["role"], row["unit"], row["criterion"]) == ("receiver", "trial", "waic")
    ]
    assert [row["model"] for row in shown] == list(table.index)
    assert [row["elpd"] for row in shown] == pytest.approx(list(table["elpd"]))
    assert len(found["subjects"]) == len(analysis.subjects)
    assert found["exclusions"] == []


def test_what_is_no_number_becomes_null(make_analysis):
    found = results(make_analysis(names=["babbling", "trust-embedded"]))
    alone = [row["alone"] for row in found["subjects"] if row["model"] == "trust-embedded"]
    assert all(isinstance(value, float) for value in alone)
    json.dumps(found, allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("finite", {"states": (1, 2, 3), "treatments": {"only": 1.0}, "subjects": 2}),
        (
            "finite",
            {
                "states": range(1, 12),
                "treatments": {f"b = {i}": float(i) for i in range(6)},
                "subjects": 5,
            },
        ),
        (
            "forecast-sharing",
            {"treatments": {"only": Market(15.0, 25.0)}, "subjects": 2, "rounds": 1},
        ),
        (
            "forecast-sharing",
            {"treatments": {f"e = {i}": Market(10.0 * i, 5.0) for i in range(1, 7)}},
        ),
        ("interval", {"treatments": {"only": 0.0}, "subjects": 2, "rounds": 1}),
        ("interval", {"treatments": {f"b = {i}": 0.1 * 4.0**i for i in range(6)}}),
    ],
)
def test_sizes_from_tiny_to_large(kind, settings, make_analysis, tmp_path):
    made = make_analysis(kind=kind, names=["trust-embedded", "level-k"], **settings)
    path: Path = write_report(made, tmp_path / "report.html").html
    assert "could not be drawn" not in path.read_text("utf-8")
    assert path.stat().st_size < 5_000_000
