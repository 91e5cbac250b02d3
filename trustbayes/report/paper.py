"""What a paper needs: a methods paragraph, its references, and the references as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trustbayes.report.material import Material
from trustbayes.report.page.section import Section
from trustbayes.report.page.wording import counted, listed

__all__ = ["Reference", "methods_paragraph", "paper_section", "references"]


@dataclass(frozen=True)
class Reference:
    """A source.

    Parameters
    ----------
    key : str
        Of the BibTeX entry.
    kind : str
        Such as "article".
    fields : mapping of str to str
        Of the BibTeX entry, in its order: author, title, ..., year.
    where : str
        Words of the results, in a model's citation or the name of its sampler, where it is used;
        empty for what every report uses.
    """

    key: str
    kind: str
    fields: Mapping[str, str]
    where: str = ""

    @property
    def text(self) -> str:
        """The reference in words."""
        part = self.fields
        authors = part["author"].replace(" and ", "; ")
        place = part.get("journal") or part.get("howpublished") or ""
        volume = part.get("volume", "") + (f"({part['number']})" if "number" in part else "")
        more = ", ".join(piece for piece in (place, volume, part.get("pages", "")) if piece)
        return f"{authors} ({part['year']}). {part['title']}. {more}."

    @property
    def bibtex(self) -> str:
        """The entry."""
        lines = [f"  {name} = {{{_tex(value)}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


_LETTERS = (("Ö", '{\\"O}'), ("ü", '{\\"u}'), ("å", "{\\aa}"), ("–", "--"), ("&", "\\&"))


def _tex(value: str) -> str:
    for letter, spelled in _LETTERS:
        value = value.replace(letter, spelled)
    return value


def _article(key: str, where: str, author: str, title: str, journal: str, year: str) -> Reference:
    """An article in "journal volume(number), pages"."""
    name, _, rest = journal.partition("; ")
    volume, _, pages = rest.partition(", ")
    volume, _, number = volume.removesuffix(")").partition("(")
    fields = {"author": author, "title": title, "journal": name, "volume": volume}
    if number:
        fields["number"] = number
    if pages:
        fields["pages"] = pages
    return Reference(key, "article", {**fields, "year": year}, where)


_SOURCES = (
    _article(
        "ozer2011trust",
        "Özer, Zheng and Chen (2011)",
        "Özer, Özalp and Zheng, Yanchong and Chen, Kay-Yut",
        "Trust in forecast information sharing",
        "Management Science; 57(6), 1111–1137",
        "2011",
    ),
    _article(
        "li2022naive",
        "Li, Özer and Subramanian (2022)",
        "Li, Xiaolin and Özer, Özalp and Subramanian, Upender",
        "Are we strategically naive or guided by trust and trustworthiness in cheap-talk "
        "communication?",
        "Management Science; 68(1)",
        "2022",
    ),
    _article(
        "crawford2003lying",
        "Crawford (2003)",
        "Crawford, Vincent P.",
        "Lying for strategic advantage: rational and boundedly rational misrepresentation of "
        "intentions",
        "American Economic Review; 93(1), 133–149",
        "2003",
    ),
    _article(
        "cai2006overcommunication",
        "Cai and Wang (2006)",
        "Cai, Hongbin and Wang, Joseph Tao-Yi",
        "Overcommunication in strategic information transmission games",
        "Games and Economic Behavior; 56(1), 7–36",
        "2006",
    ),
    _article(
        "crawford1982strategic",
        "Crawford and Sobel (1982)",
        "Crawford, Vincent P. and Sobel, Joel",
        "Strategic information transmission",
        "Econometrica; 50(6), 1431–1451",
        "1982",
    ),
    _article(
        "stahl1995players",
        "Stahl and Wilson (1995)",
        "Stahl, Dale O. and Wilson, Paul W.",
        "On players' models of other players: theory and experimental evidence",
        "Games and Economic Behavior; 10(1), 218–254",
        "1995",
    ),
    _article(
        "yaniv2000advice",
        "Yaniv and Kleinberger (2000)",
        "Yaniv, Ilan and Kleinberger, Eli",
        "Advice taking in decision making: egocentric discounting and reputation formation",
        "Organizational Behavior and Human Decision Processes; 83(2), 260–281",
        "2000",
    ),
    _article(
        "soll2009revising",
        "Soll and Larrick (2009)",
        "Soll, Jack B. and Larrick, Richard P.",
        "Strategies for revising judgment: how (and how well) people use others' opinions",
        "Journal of Experimental Psychology: Learning, Memory, and Cognition; 35(3), 780–805",
        "2009",
    ),
    _article(
        "hoffman2014nuts",
        "NUTS",
        "Hoffman, Matthew D. and Gelman, Andrew",
        "The No-U-Turn sampler: adaptively setting path lengths in Hamiltonian Monte Carlo",
        "Journal of Machine Learning Research; 15, 1593–1623",
        "2014",
    ),
    _article(
        "abrilpla2023pymc",
        "",
        "Abril-Pla, Oriol and others",
        "PyMC: a modern and comprehensive probabilistic programming framework in Python",
        "PeerJ Computer Science; 9, e1516",
        "2023",
    ),
    _article(
        "vehtari2021rank",
        "",
        "Vehtari, Aki and Gelman, Andrew and Simpson, Daniel and Carpenter, Bob and Bürkner, "
        "Paul-Christian",
        "Rank-normalization, folding, and localization: an improved R-hat for assessing "
        "convergence of MCMC",
        "Bayesian Analysis; 16(2), 667–718",
        "2021",
    ),
    _article(
        "vehtari2017practical",
        "",
        "Vehtari, Aki and Gelman, Andrew and Gabry, Jonah",
        "Practical Bayesian model evaluation using leave-one-out cross-validation and WAIC",
        "Statistics and Computing; 27, 1413–1432",
        "2017",
    ),
    Reference(
        "sivula2025uncertainty",
        "misc",
        {
            "author": "Sivula, Tuomas and Magnusson, Måns and Matamoros, Asael Alonzo and Vehtari, "
            "Aki",
            "title": "Uncertainty in Bayesian leave-one-out cross-validation based model "
            "comparison",
            "howpublished": "arXiv 2008.10296",
            "year": "2025",
        },
    ),
)


def references(results: Mapping[str, Any]) -> list[Reference]:
    """What an analysis draws on: its theories, samplers and measures, and the package last.

    Parameters
    ----------
    results : mapping
        Of `trustbayes.report.results.results`.

    Returns
    -------
    list of Reference
    """
    made = results["how"]["models"]
    used = " ".join(f"{fit['citation']} {fit['sampler']['name']}" for fit in made)
    version = _version(results)
    package = Reference(
        "trustbayes",
        "misc",
        {
            "author": "{The trustbayes maintainers}",
            "title": f"trustbayes {version}: Bayesian analysis of cheap-talk experiments",
            "howpublished": "Python package",
            "year": str(made[0]["created"])[:4],
        },
    )
    return [*(source for source in _SOURCES if not source.where or source.where in used), package]


def _version(results: Mapping[str, Any]) -> str:
    return str(results["how"]["models"][0]["versions"]["trustbayes"])


_SCORED = {
    "subject": "all trials of a person given all other people, that person's own parameters "
    "integrated out (leave-one-subject-out)",
    "group": "all trials of a matching group given all others, their own parameters integrated out "
    "(leave-one-group-out)",
    "subject-sum": "single trials given all others, by importance sampling (PSIS-LOO)",
}


def methods_paragraph(results: Mapping[str, Any]) -> str:
    """What was done, in a paragraph for a paper.

    Parameters
    ----------
    results : mapping
        Of `trustbayes.report.results.results`.

    Returns
    -------
    str
    """
    how, sampling = results["how"], results["how"]["sampling"]
    made = how["models"]
    titles = listed(dict.fromkeys(fit["title"] for fit in made), 9)
    samplers = listed(dict.fromkeys(fit["sampler"]["name"] for fit in made))
    versions = made[0]["versions"]
    people = listed(counted(n, role) for role, n in results["experiment"]["subjects"].items())
    failed = sum(not fit["passed"] for fit in results["gate"])
    gate = "All fits passed" if not failed else f"All but {failed} of the fits passed"
    rest = ", ".join(f"{name} {v}" for name, v in versions.items() if name != "trustbayes")
    units = dict.fromkeys(verdict["unit"] for verdict in results["verdict"].values())
    scored = listed(_SCORED[unit] for unit in units)
    verdicts = " ".join(verdict["text"] for verdict in results["verdict"].values())
    trials = counted(results["experiment"]["trials"], "trial")
    again = [record["draws"] for fit in made if (record := fit["prolonged"])]
    again = [draws for draws in again if draws > sampling["draws"]]
    longer = f" (up to {max(again):,} for {counted(len(again), 'model')})" if again else ""
    return (
        f"We fitted hierarchical models ({titles}) to {trials} of {people} with trustbayes "
        f"{versions['trustbayes']} ({rest}). Posteriors were drawn by "
        f"{samplers}: {counted(sampling['chains'], 'chain')} of {sampling['draws']:,} draws"
        f"{longer}, seed {sampling['seed']}. {gate} the convergence gate (R-hat at most 1.01, bulk "
        "and tail effective sample sizes of at least 400, E-BFMI at least 0.3, divergences at most "
        f"0.1 %). Theories were compared by the expected log predictive density of {scored}. "
        f"{verdicts} Intervals are equal-tailed and hold "
        f"{100 * results['ci_prob']:g} %."
    )


def paper_section(material: Material) -> Section:
    """A methods paragraph, references and BibTeX, to be pasted."""
    sources = references(material.results)
    return Section(
        "paper",
        "For a paper",
        f"A methods paragraph and {counted(len(sources), 'reference')}, ready to paste",
        texts=[
            methods_paragraph(material.results),
            "Tables as LaTeX and CSV and figures as SVG and PDF are written by trustbayes report "
            "--assets FOLDER.",
        ],
        code=[
            "\n\n".join(source.text for source in sources),
            "\n\n".join(source.bibtex for source in sources),
        ],
    )
