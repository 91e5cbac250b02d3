"""Bayesian models of trust and strategic thinking in cheap-talk experiments.

>>> import trustbayes as tb
>>> tb.model("level-k", role="sender").types
('0', '1', '2', '3')

Everything in ``__all__`` is loaded when it is first used, so that importing the package is quick.
The report has a room of its own, ``trustbayes.report``; its function is ``tb.write_report`` here,
since a package cannot give one name to both.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trustbayes.analysis import Analysis as Analysis
    from trustbayes.analysis import analyse as analyse
    from trustbayes.checking import Calibration as Calibration
    from trustbayes.checking import Recovery as Recovery
    from trustbayes.checking import calibrate as calibrate
    from trustbayes.checking import identified as identified
    from trustbayes.checking import predictive_check as predictive_check
    from trustbayes.checking import recover as recover
    from trustbayes.checking import recovery as recovery
    from trustbayes.checking import type_recovery as type_recovery
    from trustbayes.comparison import Averaged as Averaged
    from trustbayes.comparison import Comparison as Comparison
    from trustbayes.comparison import HeldOut as HeldOut
    from trustbayes.comparison import SubjectScores as SubjectScores
    from trustbayes.comparison import Verdict as Verdict
    from trustbayes.comparison import averaged as averaged
    from trustbayes.comparison import by_person as by_person
    from trustbayes.comparison import compare as compare
    from trustbayes.comparison import hold_out as hold_out
    from trustbayes.comparison import kfold as kfold
    from trustbayes.comparison import leave_one_subject_out as leave_one_subject_out
    from trustbayes.comparison import refit_without as refit_without
    from trustbayes.comparison import verdict as verdict
    from trustbayes.comparison import verdict_rules as verdict_rules
    from trustbayes.datasets import bundled as bundled
    from trustbayes.datasets import fetch as fetch
    from trustbayes.datasets import published as published
    from trustbayes.errors import Fault as Fault
    from trustbayes.errors import InputError as InputError
    from trustbayes.estimates import population_estimates as population_estimates
    from trustbayes.estimates import subject_estimates as subject_estimates
    from trustbayes.estimates import type_estimates as type_estimates
    from trustbayes.experiments import Experiment as Experiment
    from trustbayes.fitting import Fit as Fit
    from trustbayes.fitting import fit as fit
    from trustbayes.fitting import load_fit as load_fit
    from trustbayes.games import FiniteGame as FiniteGame
    from trustbayes.games import ForecastGame as ForecastGame
    from trustbayes.games import Layout as Layout
    from trustbayes.games import Market as Market
    from trustbayes.games import PayoffFunctions as PayoffFunctions
    from trustbayes.games import PayoffTable as PayoffTable
    from trustbayes.games import PowerLoss as PowerLoss
    from trustbayes.games import read_game as read_game
    from trustbayes.jointfit import JointFit as JointFit
    from trustbayes.jointfit import fit_joint as fit_joint
    from trustbayes.jointfit import load_joint_fit as load_joint_fit
    from trustbayes.models import Babbling as Babbling
    from trustbayes.models import FullTrust as FullTrust
    from trustbayes.models import Hybrid as Hybrid
    from trustbayes.models import Joint as Joint
    from trustbayes.models import LevelK as LevelK
    from trustbayes.models import Mixture as Mixture
    from trustbayes.models import Model as Model
    from trustbayes.models import TrustEmbedded as TrustEmbedded
    from trustbayes.models import model as model
    from trustbayes.models import model_names as model_names
    from trustbayes.models.evaluate import prior_draws as prior_draws
    from trustbayes.power import Power as Power
    from trustbayes.power import design as design
    from trustbayes.priors import Prior as Prior
    from trustbayes.report import report
    from trustbayes.report.figures.priors import plot_prior_posterior as plot_prior_posterior
    from trustbayes.report.figures.priors import plot_prior_predictive as plot_prior_predictive
    from trustbayes.sampling import Sampling as Sampling
    from trustbayes.script import run_script as run_script
    from trustbayes.sensitivity import prior_sensitivity as prior_sensitivity
    from trustbayes.simulation import Simulation as Simulation
    from trustbayes.simulation import read_parameters as read_parameters
    from trustbayes.simulation import simulate as simulate
    from trustbayes.traits import trait_effects as trait_effects
    from trustbayes.trials import Trials as Trials
    from trustbayes.trials import read_trials as read_trials
    from trustbayes.trials import trials_from_frame as trials_from_frame
    from trustbayes.trustgap import trust_gap as trust_gap
    from trustbayes.worth import trust_worth as trust_worth

    write_report = report

_ROOMS = {
    "analysis": ("Analysis", "analyse"),
    "checking": (
        "Calibration",
        "Recovery",
        "calibrate",
        "identified",
        "predictive_check",
        "recover",
        "recovery",
        "type_recovery",
    ),
    "comparison": (
        "Averaged",
        "Comparison",
        "HeldOut",
        "SubjectScores",
        "Verdict",
        "averaged",
        "by_person",
        "compare",
        "hold_out",
        "kfold",
        "leave_one_subject_out",
        "refit_without",
        "verdict",
        "verdict_rules",
    ),
    "datasets": ("bundled", "fetch", "published"),
    "errors": ("Fault", "InputError"),
    "estimates": ("population_estimates", "subject_estimates", "type_estimates"),
    "experiments": ("Experiment",),
    "fitting": ("Fit", "fit", "load_fit"),
    "games": (
        "FiniteGame",
        "ForecastGame",
        "Layout",
        "Market",
        "PayoffFunctions",
        "PayoffTable",
        "PowerLoss",
        "read_game",
    ),
    "jointfit": ("JointFit", "fit_joint", "load_joint_fit"),
    "models": (
        "Babbling",
        "FullTrust",
        "Hybrid",
        "Joint",
        "LevelK",
        "Mixture",
        "Model",
        "TrustEmbedded",
        "model",
        "model_names",
    ),
    "models.evaluate": ("prior_draws",),
    "power": ("Power", "design"),
    "priors": ("Prior",),
    "report": ("write_report",),
    "report.figures.priors": ("plot_prior_posterior", "plot_prior_predictive"),
    "sampling": ("Sampling",),
    "script": ("run_script",),
    "sensitivity": ("prior_sensitivity",),
    "simulation": ("Simulation", "read_parameters", "simulate"),
    "traits": ("trait_effects",),
    "trials": ("Trials", "read_trials", "trials_from_frame"),
    "trustgap": ("trust_gap",),
    "worth": ("trust_worth",),
}
_HOME = {name: f"trustbayes.{room}" for room, names in _ROOMS.items() for name in names}
_ELSEWHERE = {"write_report": "report"}  # what it is called at home

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562)."""
    if name == "__version__":
        return import_module("importlib.metadata").version("trustbayes")
    if name not in _HOME:
        raise AttributeError(f"module 'trustbayes' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), _ELSEWHERE.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names and those of the module."""
    return sorted({*globals(), *__all__, "__version__"})
