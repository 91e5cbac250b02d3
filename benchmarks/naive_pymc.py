"""The four base models of the finite game as a statistician would write them in PyMC.

One row per trial: parameters are gathered to trials, each trial has its table of utilities, and the
choices are categorical. Subject effects are non-centred. Priors, hierarchy and conventions are the
defaults of trustbayes, and so are the names; a test holds the posteriors equal.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from rows import Rows


def _precision() -> pt.TensorVariable:
    """Response precision of each subject: a gamma, by its mean and shape."""
    mean = pm.LogNormal("response_precision_mean", mu=1.0, sigma=1.0)
    shape = pm.LogNormal("response_precision_shape", mu=0.0, sigma=0.5)
    offset = pm.Gamma("response_precision_offset", alpha=shape, beta=shape, dims="subject")
    return pm.Deterministic("response_precision", mean * offset, dims="subject")


def trust_embedded_sender(rows: Rows) -> pm.Model:
    """Expected payoff at the expected action, less the cost of the lie."""
    game = rows.game
    state = game.states[rows.seen][:, None]
    lie = np.abs(game.messages - state)
    bias = rows.biases[rows.bias][:, None]
    distrusted = (rows.distrusted @ game.states)[rows.bias]
    with pm.Model(coords=rows.coords) as model:
        precision = _precision()
        mu = pm.Normal("lying_aversion_mu", mu=-0.7, sigma=1.0)
        sigma = pm.HalfNormal("lying_aversion_sigma", sigma=1.0)
        offset = pm.Normal("lying_aversion_offset", dims="subject")
        aversion = pm.Deterministic("lying_aversion", pt.exp(mu + sigma * offset), dims="subject")
        trust_mu = pm.Normal("expected_trust_mu", mu=0.0, sigma=1.5, dims="treatment")
        trust = pm.Deterministic("expected_trust", pm.math.sigmoid(trust_mu), dims="treatment")
        weight = trust[rows.treatment][:, None]
        action = weight * game.messages + (1 - weight) * distrusted
        payoff = game.payoffs.sender(state, action, bias) / game.scale
        utility = payoff - aversion[rows.subject][:, None] * lie / game.step
        logits = precision[rows.subject][:, None] * utility
        pm.Categorical("choice", logit_p=logits, observed=rows.choice)
    return model


def trust_embedded_receiver(rows: Rows) -> pm.Model:
    """Expected payoff of each action under a belief between the message and distrust."""
    game = rows.game
    message = game.messages[rows.seen][:, None]
    distrusted = rows.distrusted[rows.bias, rows.seen]  # trials, states
    with pm.Model(coords=rows.coords) as model:
        precision = _precision()
        mu = pm.Normal("trust_mu", mu=0.0, sigma=1.5, dims="treatment")
        sigma = pm.HalfNormal("trust_sigma", sigma=1.0)
        offset = pm.Normal("trust_offset", dims="subject")
        logit = mu[None, :] + sigma * offset[:, None]
        trust = pm.Deterministic("trust", pm.math.sigmoid(logit), dims=("subject", "treatment"))
        weight = trust[rows.subject, rows.treatment][:, None]
        believed = weight * message + (1 - weight) * game.states  # trials, states
        payoff = game.payoffs.receiver(believed[:, :, None], game.actions)
        utility = (distrusted[:, :, None] * payoff).sum(axis=1) / game.scale
        logits = precision[rows.subject][:, None] * utility
        pm.Categorical("choice", logit_p=logits, observed=rows.choice)
    return model


def level_k(rows: Rows) -> pm.Model:
    """Each subject's level is summed out of the likelihood of all her trials."""
    utility = rows.level_utility[rows.bias, :, rows.seen, :]  # trials, levels, options
    with pm.Model(coords=rows.coords) as model:
        precision = _precision()
        share = pm.Dirichlet("level_share", a=np.ones(utility.shape[1]), dims="level")
        logits = precision[rows.subject][:, None, None] * utility
        logs = logits - pt.logsumexp(logits, axis=-1, keepdims=True)
        chosen = logs[np.arange(rows.choice.size), :, rows.choice]
        by_subject = pt.zeros((len(rows.subjects), utility.shape[1]))
        by_subject = pt.inc_subtensor(by_subject[rows.subject], chosen)
        pm.Potential("choice", pt.logsumexp(pt.log(share) + by_subject, axis=-1).sum())
    return model


def level_k_sampled(rows: Rows) -> pm.Model:
    """Each subject's level is a discrete variable, sampled with the rest."""
    with pm.Model(coords=rows.coords) as model:
        precision = _precision()
        share = pm.Dirichlet("level_share", a=np.ones(rows.level_utility.shape[1]), dims="level")
        level = pm.Categorical("subject_level", p=share, dims="subject")
        utility = pt.as_tensor(rows.level_utility)[rows.bias, level[rows.subject], rows.seen]
        logits = precision[rows.subject][:, None] * utility
        pm.Categorical("choice", logit_p=logits, observed=rows.choice)
    return model


MODELS: dict[tuple[str, str], Callable[[Rows], pm.Model]] = {
    ("trust-embedded", "sender"): trust_embedded_sender,
    ("trust-embedded", "receiver"): trust_embedded_receiver,
    ("level-k", "sender"): level_k,
    ("level-k", "receiver"): level_k,
}
