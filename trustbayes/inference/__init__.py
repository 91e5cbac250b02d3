"""From a model and trials to a fit."""

from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.joint import JointFit, fit_joint, load_joint_fit
from trustbayes.inference.sampling import Sampling

__all__ = ["Fit", "JointFit", "Sampling", "fit_joint", "load_fit", "load_joint_fit"]
