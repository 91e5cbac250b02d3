"""The report on a study: what was simulated, what policies would do, or several experiments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trustbayes.pooling.pooled_study import PooledStudy
from trustbayes.report.page.page import Written, write_page
from trustbayes.report.studies.calibration import calibration_page
from trustbayes.report.studies.design import design_page
from trustbayes.report.studies.policies import policy_page
from trustbayes.report.studies.pooled import pooled_page
from trustbayes.report.studies.recovery import recovery_page
from trustbayes.report.studies.shared import StudyPage
from trustbayes.simulation.calibration import Calibration
from trustbayes.simulation.policies import Counterfactual
from trustbayes.simulation.power import Power
from trustbayes.simulation.recovery import RecoveryStudy

__all__ = ["Study", "study_report"]

Study = Calibration | RecoveryStudy | Power | Counterfactual | PooledStudy

_PAGES: dict[type[Any], Callable[[Any, str], StudyPage]] = {
    Calibration: calibration_page,
    RecoveryStudy: recovery_page,
    Power: design_page,
    Counterfactual: policy_page,
}


def study_report(
    study: Study,
    path: str | Path,
    command: str = "",
    reports: Mapping[str, str] | None = None,
) -> Written:
    """Write a study as one self-contained HTML file, its numbers beside it as JSON.

    Parameters
    ----------
    study : Calibration, RecoveryStudy, Power, Counterfactual or PooledStudy
        Of `trustbayes.calibrate`, `recovery_study`, `design`, `counterfactual` or `pool`.
    path : str or Path
        Of the HTML file; the numbers have its name with the ending .json.
    command : str
        That made it, for the record.
    reports : mapping of str to str, optional
        Of a `PooledStudy`: where reports on its experiments lie, seen from the file, to be linked.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    if isinstance(study, PooledStudy):
        made = pooled_page(study, command, reports)
    else:
        made = _PAGES[type(study)](study, command)
    numbers = dict(made.numbers) | {"command": command}
    return write_page(path, made.title, made.subtitle, made.front, made.sections, numbers, {})
