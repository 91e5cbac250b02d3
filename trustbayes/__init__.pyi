"""The public names, where they live."""

from .analysis.analyse import Analysis as Analysis, analyse as analyse
from .cli.script import run_script as run_script
from .comparison.averaging import Averaged as Averaged, averaged as averaged
from .comparison.both_roles import BothRoles as BothRoles, both_roles as both_roles
from .comparison.by_person import by_person as by_person
from .comparison.by_round import scores_by_round as scores_by_round
from .comparison.compare import Comparison as Comparison, compare as compare
from .comparison.heldout import HeldOut as HeldOut
from .comparison.loso import (
    SubjectScores as SubjectScores,
    leave_one_subject_out as leave_one_subject_out,
)
from .comparison.refits import (
    hold_out as hold_out,
    kfold as kfold,
    refit_without as refit_without,
)
from .comparison.verdict import (
    Verdict as Verdict,
    verdict as verdict,
    verdict_rules as verdict_rules,
)
from .errors import Fault as Fault, InputError as InputError
from .estimates.learning import learning_effects as learning_effects
from .estimates.population import population_estimates as population_estimates
from .estimates.prior_sensitivity import prior_sensitivity as prior_sensitivity
from .estimates.subjects import (
    subject_estimates as subject_estimates,
    type_estimates as type_estimates,
)
from .estimates.traits import trait_effects as trait_effects
from .estimates.trust_gap import trust_gap as trust_gap
from .estimates.trust_paths import (
    after_one_lie as after_one_lie,
    trust_over_rounds as trust_over_rounds,
)
from .games.feedback import Feedback as Feedback
from .games.finite import FiniteGame as FiniteGame
from .games.finite_terms import FiniteTerms as FiniteTerms
from .games.forecast import ForecastGame as ForecastGame, Market as Market
from .games.interval import IntervalGame as IntervalGame
from .games.layout import Layout as Layout
from .games.message_payoffs import (
    MessagePayoffFunctions as MessagePayoffFunctions,
    PayoffFormulas as PayoffFormulas,
)
from .games.payoffs import (
    PayoffFunctions as PayoffFunctions,
    PayoffTable as PayoffTable,
    PowerLoss as PowerLoss,
)
from .games.reading import read_game as read_game
from .games.recommendation import Adviser as Adviser, RecommendationGame as RecommendationGame
from .inference.engines.population.engine import build_population as build_population
from .inference.fit import Fit as Fit, load_fit as load_fit
from .inference.fitting import fit as fit
from .inference.joint import (
    JointFit as JointFit,
    fit_joint as fit_joint,
    load_joint_fit as load_joint_fit,
)
from .inference.sampling import Sampling as Sampling
from .models import (
    Babbling as Babbling,
    FullTrust as FullTrust,
    Hybrid as Hybrid,
    LevelK as LevelK,
    Mixture as Mixture,
    TrustEmbedded as TrustEmbedded,
    model as model,
    model_names as model_names,
    register as register,
)
from .models.draws import prior_draws as prior_draws
from .models.joint import Joint as Joint
from .models.model import Model as Model
from .pooling.pool import PooledStudy as PooledStudy, pool as pool
from .pooling.reading import read_study as read_study
from .pooling.study import Study as Study, StudyExperiment as StudyExperiment
from .priors.prior import Prior as Prior
from .report.figures.priors import (
    plot_prior_posterior as plot_prior_posterior,
    plot_prior_predictive as plot_prior_predictive,
)
from .report.write import write_report as write_report
from .simulation.calibration import Calibration as Calibration, calibrate as calibrate
from .simulation.experience import (
    experience_check as experience_check,
    free_running_check as free_running_check,
)
from .simulation.experiments import Experiment as Experiment
from .simulation.planted import (
    identified as identified,
    planted_against_estimated as planted_against_estimated,
    type_recovery as type_recovery,
)
from .simulation.policies.counterfactual import (
    Counterfactual as Counterfactual,
    counterfactual as counterfactual,
)
from .simulation.policies.policy import Audit as Audit, Policy as Policy, Strength as Strength
from .simulation.policies.reading import read_policies as read_policies
from .simulation.policies.unseen import Unseen as Unseen, unseen_treatments as unseen_treatments
from .simulation.policies.worth import trust_worth as trust_worth
from .simulation.power import Power as Power, design as design
from .simulation.predictive import predictive_check as predictive_check
from .simulation.recovery import RecoveryStudy as RecoveryStudy, recovery_study as recovery_study
from .simulation.simulate import (
    Simulation as Simulation,
    read_parameters as read_parameters,
    simulate as simulate,
)
from .theories.benchmarks.interval import (
    PartitionEquilibrium as PartitionEquilibrium,
    partition_equilibrium as partition_equilibrium,
)
from .trials.datasets import (
    bundled as bundled,
    bundled_study as bundled_study,
    fetch as fetch,
    published as published,
)
from .trials.table import (
    Trials as Trials,
    read_trials as read_trials,
    trials_from_frame as trials_from_frame,
)
