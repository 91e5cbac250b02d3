"""Data that comes with the package, and public data fetched by name."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path

import pandas as pd

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import write_whole
from trustbayes.trials.date_quiz import quiz_trials, read_quiz
from trustbayes.trials.published_layouts import ioannidis_pairs, oey_rounds

__all__ = [
    "BUNDLED",
    "DATASETS",
    "STUDIES",
    "Dataset",
    "RemoteDataset",
    "bundled",
    "bundled_study",
    "data_folder",
    "fetch",
    "published",
]


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dataset:
    """Trials with their game, as files.

    Parameters
    ----------
    name : str
    trials : Path
        A file for `trustbayes.trials.table.read_trials`.
    game : Path
        Its game file.
    parameters : Path or None
        The parameters of each subject, where the trials are simulated.
    policies : Path
        A file of policies for its game, see `trustbayes.read_policies`.
    description : str
        One sentence.
    """

    name: str
    trials: Path
    game: Path
    parameters: Path | None
    policies: Path
    description: str


def _read_csv(content: bytes, name: str) -> pd.DataFrame:
    """A table in CSV, all cells as text."""
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


@dataclass(frozen=True)
class RemoteDataset:
    """Public files, pinned to one version, and how they become a file of trials.

    Parameters
    ----------
    name : str
        The game file of this name lies among the package's data.
    sources : mapping of str to str
        Address of each file, and its SHA-256.
    convert : callable
        From the files' own layout, in the same order, to that of the game file.
    description : str
        One sentence, with the source.
    licence : str
        Under which the files may be used.
    citation : str
        What to cite.
    read : callable
        From the content of a file and its name to a table of texts.
    suffix : str
        Of the files' names.
    """

    name: str
    sources: Mapping[str, str]
    convert: Callable[..., pd.DataFrame]
    description: str
    licence: str
    citation: str
    read: Callable[[bytes, str], pd.DataFrame] = field(default=_read_csv, repr=False)
    suffix: str = "csv"

    @property
    def game(self) -> Path:
        """The game file for the converted trials."""
        return data_folder() / "games" / f"{self.name}.toml"


def data_folder() -> Path:
    """Find the package's data: inside an installed package, else in the source checkout.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        If the package was installed without its data.
    """
    with as_file(files("trustbayes")) as package:
        for folder in (package / "_data", package.parent / "data"):
            if folder.is_dir():
                return folder
    raise FileNotFoundError("trustbayes was installed without its data folder")


BUNDLED: dict[str, str] = {
    "simulated-forecast": (
        "Simulated forecast sharing: 48 manufacturers and 48 suppliers, 60 rounds, two by two "
        "treatments, known parameters."
    ),
    "simulated-finite": (
        "Simulated finite game: 32 senders and 32 receivers, 60 rounds, three biases, known "
        "parameters."
    ),
    "simulated-learning": (
        "Simulated finite game with fixed partners: 40 senders and 40 receivers, 40 rounds, trust "
        "that moves with experience, known memory and gains."
    ),
    "simulated-recommendation": (
        "Simulated recommendations: 300 sellers, 40 weeks, a machine's recommendations whose "
        "accuracy changes, known parameters."
    ),
}
"""The experiments that come with the package, the default one first, in a sentence each."""


def bundled(name: str = "simulated-forecast") -> Dataset:
    """Give an experiment that comes with the package: a small simulated one.

    Parameters
    ----------
    name : str
        A key of `BUNDLED`.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        If there is no such experiment.

    Examples
    --------
    >>> bundled("simulated-finite").trials.name
    'trials.csv'
    """
    if name not in BUNDLED:
        raise InputError(Fault("bundled data set", name, suggestion(name, list(BUNDLED))))
    folder = data_folder() / name
    return Dataset(
        name=name,
        trials=folder / "trials.csv",
        game=folder / "game.toml",
        parameters=folder / "parameters.csv",
        policies=folder / "policies.toml",
        description=BUNDLED[name],
    )


STUDIES: dict[str, str] = {
    "simulated": (
        "Five simulated experiments: finite games of two designs, a game whose payoffs know the "
        "message, forecast sharing and recommendations, from a known population of experiments."
    ),
    "published": "The real experiments of `DATASETS`, which are fetched when they are read.",
}
"""The studies of several experiments that come with the package, the default one first."""


def bundled_study(name: str = "simulated") -> Path:
    """Give the file of a study that comes with the package.

    Parameters
    ----------
    name : str
        A key of `STUDIES`.

    Returns
    -------
    Path
        A file for `trustbayes.read_study`.

    Raises
    ------
    InputError
        If there is no such study.

    Examples
    --------
    >>> bundled_study("published").name
    'published.toml'
    """
    if name not in STUDIES:
        raise InputError(Fault("bundled study", name, suggestion(name, list(STUDIES))))
    if name == "simulated":
        return data_folder() / "simulated-study" / "study.toml"
    return data_folder() / "studies" / f"{name}.toml"


def published() -> pd.DataFrame:
    """Give the regression slopes that were published for forecast sharing.

    Returns
    -------
    DataFrame
        One row per sample and regression, with the columns study ("original", "replication"),
        place, treatment (both empty where not stated), regression ("report on forecast",
        "capacity on report"), coefficient and standard_error (units of demand per unit of
        demand), subjects (n as stated) and source.

    References
    ----------
    Özer, Zheng and Chen (2011), Management Science 57(6); Management Science Replication Project
    (2023). See ``data/published/README.md``.

    Examples
    --------
    >>> slopes = published().set_index(["study", "place", "regression"])["coefficient"]
    >>> float(slopes["original", "", "report on forecast"])
    0.643
    """
    path = data_folder() / "published" / "forecast-sharing.csv"
    return pd.read_csv(path, keep_default_na=False)


def fetch(
    name: str, *, cache: str | Path | None = None, url: str | Sequence[str] | None = None
) -> Path:
    """Download a public data set and write it as a file of trials.

    The log says under which licence, and what to cite.

    Parameters
    ----------
    name : str
        A key of `DATASETS`.
    cache : str or Path, optional
        Folder for the download and the trials; default: the user's cache folder. A download
        that is already there, with the right checksum, is not repeated.
    url : str or sequence of str, optional
        A mirror to take the file from, or each of several. Checksums must be the same.

    Returns
    -------
    Path
        The file of trials, to be read with the data set's game file.

    Raises
    ------
    InputError
        If the name is unknown, the file cannot be downloaded or is not the expected one, or the
        cache folder cannot be written to.

    Examples
    --------
    >>> trials = fetch("ioannidis-2024")  # doctest: +SKIP
    """
    if name not in DATASETS:
        raise InputError(Fault("data set", name, suggestion(name, list(DATASETS))))
    import pooch  # late, since few who read trials download any

    dataset = DATASETS[name]
    folder = Path(pooch.os_cache("trustbayes") if cache is None else cache)
    target = folder / f"{name}.csv"
    mirrors = [url] if isinstance(url, str) else list(url or dataset.sources)
    if len(mirrors) != len(dataset.sources):
        expected = f"{len(dataset.sources)}, one for each file"
        raise InputError(Fault("url, mirrors", str(len(mirrors)), expected))
    raw = []
    try:
        for position, (mirror, checksum) in enumerate(
            zip(mirrors, dataset.sources.values(), strict=True)
        ):
            part = f"-{position + 1}" if position else ""
            source = _download(mirror, checksum, folder, f"{name}-source{part}.{dataset.suffix}")
            raw.append(dataset.read(Path(source).read_bytes(), Path(source).name))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(Fault(str(folder), "", f"a folder to write to ({reason})")) from None
    write_whole({target: dataset.convert(*raw).to_csv(index=False)})
    _log.info("%s. Licence: %s. To be cited: %s", name, dataset.licence, dataset.citation)
    return target


def _download(url: str, checksum: str, folder: Path, name: str) -> str:
    import pooch
    from requests.exceptions import RequestException  # as slow to import as pooch makes it lazy

    try:
        return str(
            pooch.retrieve(
                url,
                known_hash=f"sha256:{checksum}",
                fname=name,
                path=folder,
            )
        )
    except RequestException as error:
        answer = getattr(error.response, "status_code", None)
        reason = f"the server answered {answer}" if answer else "the server cannot be reached"
        raise InputError(Fault(url, "", f"a file to download, but {reason}")) from None
    except ValueError:  # pooch: the checksum differs; the download was deleted
        expected = f"a file with SHA-256 {checksum}, but the one there is another"
        raise InputError(Fault(url, "", expected)) from None


_IOANNIDIS = RemoteDataset(
    name="ioannidis-2024",
    sources={
        "https://raw.githubusercontent.com/KonstantinosIoannidis/Habitual_Communication_EXEX/"
        "564764aef21882d5d2f214ad7c782d3ec46ff52b/Data/Experimental%20Data.csv": (
            "cbeee424b62a49df15fa9085a3ae2d422e3fd260ec33acfa4c17c636e11bae5b"
        )
    },
    convert=ioannidis_pairs,
    description=(
        "Habitual communication (K. Ioannidis, working paper): 128 senders and 128 "
        "receivers, 60 rounds, five states, three biases."
    ),
    licence="none stated: for work of your own, not to be passed on",
    citation="Ioannidis, Habitual communication, working paper",
)

_OEY = RemoteDataset(
    name="oey-vul-2022",
    sources={
        "https://raw.githubusercontent.com/la-oey/RationalLying/"
        f"55a3960e41cf134098ef5be87d6ebbbbaf8ea0bb/model/expt_{role}_full.csv": checksum
        for role, checksum in {
            "sender": "467c8b1bda4b7698b6e9452eb1e325172bef8a76549ecb1cb7c3abdf0eb53752",
            "receiver": "eba0e686ee682edbd5a87dac6587851eb044be41fa0c6e3c1b73eb4652992761",
        }.items()
    },
    convert=oey_rounds,
    description=(
        "A lying game with detection (L. Oey and E. Vul, repository RationalLying): 212 people, "
        "100 rounds, each in both roles by turns against a computer, six treatments."
    ),
    licence="none stated: for work of your own, not to be passed on",
    citation=(
        "Oey, Schachner and Vul (2022), Designing and detecting lies by reasoning about other "
        "agents, Journal of Experimental Psychology: General, doi 10.1037/xge0001277"
    ),
)

_ESM_ADVICE = RemoteDataset(
    name="esm-advice",
    sources={
        "https://github.com/oxacclab/esmData/raw/7179279896d9d685426916f047a3aab10219d76f/"
        "data/datequiz.rda": "20412b61bf4240889fe14a4445bd3e088f1724eb4f5507e821a1b65af8c947ff"
    },
    convert=quiz_trials,
    description=(
        "Date quiz with advisers (Oxford Accuracy and Confidence lab, esmData): 380 people, 8,628 "
        "estimates of years before and after a recommendation."
    ),
    licence="CC-BY 4.0",
    citation="oxacclab/esmData, Oxford Accuracy and Confidence lab, commit 7179279",
    read=read_quiz,
    suffix="rda",
)

DATASETS: dict[str, RemoteDataset] = {
    dataset.name: dataset for dataset in (_IOANNIDIS, _OEY, _ESM_ADVICE)
}
"""The public data sets that `fetch` knows, by name."""
