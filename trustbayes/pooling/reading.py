"""Reading a study from a TOML file, strictly: every unknown key is a fault, all are reported."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.games.toml_section import Section, is_number, read_section
from trustbayes.pooling.study import Study, StudyExperiment
from trustbayes.trials.datasets import BUNDLED, DATASETS, bundled, fetch
from trustbayes.trials.table import Trials, read_trials

__all__ = ["read_study"]

_log = logging.getLogger(__name__)

_KEYS = ("title", "roles", "models", "parameters", "formulas", "experiments")
_OF_EXPERIMENT = ("name", "trials", "game", "people", "dataset", "year", "citation", "covariates")


def read_study(path: str | Path, cache: str | Path | None = None) -> Study:
    """Read a file that lists the experiments of a study, and the experiments.

    Parameters
    ----------
    path : str or Path
        A TOML file with a table ``[[experiments]]`` for each, whose keys are ``name``, ``trials``
        and ``game`` (files, beside the study's own unless their paths are whole), ``people`` (a
        file, if there is one), or ``dataset`` (the name of one that is bundled or can be fetched)
        in place of the files; ``year``, ``citation`` and ``covariates``. Above them may stand
        ``title``, ``roles``, ``models``, ``parameters`` and a table ``[formulas]``, see
        `trustbayes.Study`.
    cache : str or Path, optional
        Folder for data sets that are fetched, see `trustbayes.fetch`.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        Listing everything that is wrong with the file, the experiments' files, and the study.

    Examples
    --------
    >>> study = read_study("study.toml")  # doctest: +SKIP
    >>> study.names  # doctest: +SKIP
    ('Cambridge', 'Utrecht')
    """
    path = Path(path).expanduser()
    section = read_section(path, "a file of a study (TOML)")
    section.allow(*_KEYS)
    settings: dict[str, Any] = {}
    if "title" in section.raw:
        settings["title"] = section.text("title")
    for key in ("roles", "models", "parameters"):
        if key in section.raw:
            settings[key] = section.names(key)
    if "formulas" in section.raw:
        formulas = section.section("formulas")
        held = {} if formulas is None else {name: formulas.text(name) for name in formulas.raw}
        settings["formulas"] = held
    listed = section.raw.get("experiments")
    if (
        not isinstance(listed, list)
        or not listed
        or not all(isinstance(e, Mapping) for e in listed)
    ):
        section.note("experiments", "a table [[experiments]] for each experiment")
        listed = []
    experiments = [
        _experiment(
            Section(raw, section.file, f"experiments[{number}]", section.faults), path, cache
        )
        for number, raw in enumerate(listed, start=1)
    ]
    read = [experiment for experiment in experiments if experiment is not None]
    if section.faults:
        raise InputError([*section.faults, *_of_study(read)])
    return Study(read, **settings)


def _of_study(experiments: list[StudyExperiment]) -> list[Fault]:
    """What is wrong between those experiments that could be read."""
    try:
        Study(experiments)
    except InputError as error:
        return [fault for fault in error.faults if fault.place.startswith("experiment ")]
    return []


def _experiment(section: Section, path: Path, cache: str | Path | None) -> StudyExperiment | None:
    section.allow(*_OF_EXPERIMENT)
    before = len(section.faults)
    name = section.text("name")
    given: dict[str, Any] = {}
    if "year" in section.raw:
        year = section.raw["year"]
        if not isinstance(year, int) or isinstance(year, bool):
            section.note("year", "a whole number")
        given["year"] = year
    if "citation" in section.raw:
        given["citation"] = section.text("citation")
    if "covariates" in section.raw:
        given["covariates"] = _covariates(section)
    trials = _trials(section, path, cache)
    if name is None or trials is None or len(section.faults) > before:
        return None
    if not given.get("citation") and section.raw.get("dataset") in DATASETS:
        given["citation"] = DATASETS[str(section.raw["dataset"])].citation
    return StudyExperiment(name, trials, **given)


def _covariates(section: Section) -> dict[str, float | str]:
    table = section.section("covariates")
    covariates: dict[str, float | str] = {}
    for key, value in () if table is None else table.raw.items():
        if is_number(value):
            covariates[key] = float(value)
        elif isinstance(value, str) and value.strip():
            covariates[key] = value
        else:
            assert table is not None
            table.note(key, "a number or a text")
    return covariates


def _trials(section: Section, path: Path, cache: str | Path | None) -> Trials | None:
    """The trials of an experiment; None where a fault has been noted."""
    files = [key for key in ("trials", "game", "people") if key in section.raw]
    if "dataset" in section.raw:
        return _dataset(section, files, cache)
    texts = {key: section.text(key) for key in dict.fromkeys(("trials", "game", *files))}
    if None in texts.values():
        return None
    places = {key: path.parent / Path(str(text)).expanduser() for key, text in texts.items()}
    return _read(section, places["trials"], places["game"], places.get("people"))


def _dataset(section: Section, files: list[str], cache: str | Path | None) -> Trials | None:
    name = section.text("dataset")
    for key in files:
        section.note(key, "none beside dataset, which has its own")
    if name is None or files:
        return None
    if name in BUNDLED:
        data = bundled(name)
        return _read(section, data.trials, data.game)
    if name not in DATASETS:
        section.note("dataset", suggestion(name, [*BUNDLED, *DATASETS]))
        return None
    try:
        fetched = fetch(name, cache=cache)
    except InputError as error:
        section.faults += error.faults
        return None
    return _read(section, fetched, DATASETS[name].game)


def _read(section: Section, trials: Path, game: Path, people: Path | None = None) -> Trials | None:
    try:
        data = read_trials(trials, game, people)
    except InputError as error:
        section.faults += error.faults
        return None
    for sentence in data.notes:
        _log.info("%s: %s", data.source, sentence)
    for sentence in data.warnings:
        _log.warning("%s: %s", data.source, sentence)
    return data
