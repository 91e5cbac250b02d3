"""The report says what its results say, whatever the data hold, and is whole or not there."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from trustbayes.errors import InputError
from trustbayes.games import Market
from trustbayes.report import build as building
from trustbayes.report import report, results
from trustbayes.report.figures import evidence
from trustbayes.report.finite import raw as raw_finite
from trustbayes.report.forecast import raw as raw_forecast
from trustbayes.report.wording import interval, number, percent, type_label

SECTIONS = [
    "The answer",
    "The experiment",
    "Which theory predicts better",
    "What each theory gets right and wrong",
    "The people",
    "The population, by treatment",
    "Convergence",
    "How it was made",
]
LABELS = ("<script>alert(1)</script>", "$x$ & \\frac{1}", "very long label" + " again" * 30)
HOSTILE = {
    "finite": dict(zip(LABELS, (0.5, 1.0, 1.5), strict=True)),
    "forecast-sharing": {label: Market(15.0, 25.0) for label in LABELS},
}


class Page(HTMLParser):
    """What of a page the tests look at: tags, headings, tables as text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.rows: list[list[str]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        elif tag == "h2":
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("th", "td"):
            self.rows[-1][-1] += data
        elif self._open == "h2":
            self.headings[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def written(analysis, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    return report(analysis, path, "trustbayes report trials.csv --game <game>.toml")


@pytest.fixture(scope="module")
def page(written):
    return Page(written.html.read_text("utf-8"))


def test_all_sections_stand_in_order(page):
    assert page.headings == [f"{i} {title}" for i, title in enumerate(SECTIONS, start=1)]


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
    assert written.html.stat().st_size < 5_000_000


def test_results_are_strict_json_with_the_promised_keys(written):
    found = json.loads(written.results.read_text("utf-8"), parse_constant=pytest.fail)
    assert {
        "gate", "comparison", "verdict", "population", "exclusions", "subjects", "types",
        "variants", "recovery", "type_recovery", "worth", "gap", "checks", "experiment", "how",
    } <= set(found)  # fmt: skip
    assert set(found["comparison"][0]) == {
        "role", "unit", "criterion", "model", "elpd", "se", "elpd_diff", "dse", "other_sign",
        "p", "weight", "weight_bma", "warning",
    }  # fmt: skip
    assert set(found["verdict"]) == {"sender", "receiver"}
    assert set(found["verdict"]["sender"]) == {"winner", "text"}
    assert {"model", "role", "passed", "checks"} <= set(found["gate"][0])
    assert {"model", "role", "parameter", "treatment", "mean", "interval"} <= set(
        found["population"][0]
    )


def test_results_lie_beside_the_report_under_a_name_of_their_own(analysis, tmp_path, undrawn):
    assert report(analysis, tmp_path / "report.html").results == tmp_path / "results.json"
    other = report(analysis, tmp_path / "sub" / "ioannidis-2024.html")
    assert other.results == tmp_path / "sub" / "results.json"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "results.json", "sub"]


def test_tables_hold_the_numbers_of_the_results(written, page, analysis):
    found = json.loads(written.results.read_text("utf-8"))
    titles = {m: fit.model.spec.title for (m, _), fit in analysis.fits.items()}
    rows = [tuple(row) for row in page.rows]
    for row in found["comparison"]:
        numbers = [number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse", "p")]
        assert any(
            shown[1:2] == (titles[row["model"]],) and list(shown[2:7]) == numbers for shown in rows
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


@pytest.fixture(scope="module", params=list(HOSTILE))
def hostile(request, make_analysis, tmp_path_factory):
    treatments, names = HOSTILE[request.param], ["trust-embedded"]
    analysis = make_analysis(
        kind=request.param, treatments=treatments, subjects=2, rounds=3, names=names
    )
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    return report(analysis, path, "<b onclick=x>")


def test_labels_from_the_data_are_escaped(hostile):
    text = hostile.html.read_text("utf-8")
    parsed = Page(text)
    assert not parsed.all("script")
    assert not parsed.all("b")
    assert "&lt;script&gt;" in text
    assert any("<script>alert(1)</script>" in cell for row in parsed.rows for cell in row)


def test_labels_from_the_data_break_no_figure(hostile):
    assert "could not be drawn" not in hostile.html.read_text("utf-8")


def test_one_model_alone_has_no_winner(hostile):
    verdicts = json.loads(hostile.results.read_text("utf-8"))["verdict"]
    assert [one["winner"] for one in verdicts.values()] == [None, None]


@pytest.mark.usefixtures("undrawn")
def test_a_figure_that_fails_shows_as_a_box(analysis, tmp_path, monkeypatch, caplog):
    def broken(*arguments: object) -> str:
        raise RuntimeError("no <ink>")

    monkeypatch.setattr(raw_finite, "heat_maps_says", broken)
    monkeypatch.setattr(raw_forecast, "scatter_says", broken)
    text = report(analysis, tmp_path / "report.html").html.read_text("utf-8")
    assert text.count("This figure could not be drawn.") == 2
    assert "RuntimeError: no &lt;ink&gt;" in text
    assert caplog.text.count("RuntimeError: no <ink>") == 2
    assert Page(text).headings[-1] == "8 How it was made"


@pytest.mark.usefixtures("undrawn")
def test_without_convergence_no_winner_is_named(analysis, spoil, tmp_path):
    spoiled = spoil(analysis, ("level-k", "sender"))
    written = report(spoiled, tmp_path / "report.html")
    found = json.loads(written.results.read_text("utf-8"))
    assert found["verdict"]["sender"]["winner"] is None
    gate = {(one["model"], one["role"]): one["passed"] for one in found["gate"]}
    assert [key for key, passed in gate.items() if not passed] == [("level-k", "sender")]
    text = written.html.read_text("utf-8")
    assert "No verdict on senders" in text
    assert "FAILED" in text
    senders = re.sub(
        r"(?s).*?<section id=.comparison-sender.>|<section id=.comparison-rec.*", "", text
    )
    for claim in ("predicts senders best", "first for senders", "Senders: Trust-embedded has"):
        assert claim not in text
    assert not re.search(r"predicts \d+ of", senders)
    assert 'id="by-subject-sender"' not in text
    assert 'id="by-subject-receiver"' in text
    assert evidence.differences_says(spoiled, "sender").startswith("Senders: no ranking")


def test_a_report_that_fails_leaves_no_file(analysis, tmp_path, monkeypatch):
    def broken(*arguments: object) -> None:
        raise RuntimeError("no paper")

    monkeypatch.setattr(building, "sections", broken)
    with pytest.raises(RuntimeError, match="no paper"):
        report(analysis, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("undrawn")
def test_a_report_that_cannot_be_written_leaves_the_old_one(analysis, tmp_path, monkeypatch):
    old = tmp_path / "report.html"
    old.write_text("old")
    (tmp_path / "results.json").mkdir()  # in the way of the second file
    with pytest.raises(InputError, match="a file that can be written"):
        report(analysis, old)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "results.json"]


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
    ],
)
def test_sizes_from_tiny_to_large(kind, settings, make_analysis, tmp_path):
    made = make_analysis(kind=kind, names=["trust-embedded", "level-k"], **settings)
    path: Path = report(made, tmp_path / "report.html").html
    assert "could not be drawn" not in path.read_text("utf-8")
    assert path.stat().st_size < 5_000_000
