"""The models of `naive_pymc`, the same way, in NumPyro."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from rows import Rows

numpyro.enable_x64()  # as PyMC and trustbayes


def _precision(subjects: int) -> jax.Array:
    """Response precision of each subject: a gamma, by its mean and shape."""
    mean = numpyro.sample("response_precision_mean", dist.LogNormal(1.0, 1.0))
    shape = numpyro.sample("response_precision_shape", dist.LogNormal(0.0, 0.5))
    with numpyro.plate("subject", subjects):
        offset = numpyro.sample("response_precision_offset", dist.Gamma(shape, shape))
    return numpyro.deterministic("response_precision", mean * offset)


def trust_embedded_sender(rows: Rows) -> None:
    """Expected payoff at the expected action, less the cost of the lie."""
    game, subjects = rows.game, len(rows.subjects)
    state = game.states[rows.seen][:, None]
    lie = np.abs(game.messages - state)
    bias = rows.biases[rows.bias][:, None]
    distrusted = (rows.distrusted @ game.states)[rows.bias]
    precision = _precision(subjects)
    mu = numpyro.sample("lying_aversion_mu", dist.Normal(-0.7, 1.0))
    sigma = numpyro.sample("lying_aversion_sigma", dist.HalfNormal(1.0))
    with numpyro.plate("of_lying_aversion", subjects):
        offset = numpyro.sample("lying_aversion_offset", dist.Normal(0.0, 1.0))
    aversion = numpyro.deterministic("lying_aversion", jnp.exp(mu + sigma * offset))
    with numpyro.plate("treatment", len(rows.treatments)):
        trust_mu = numpyro.sample("expected_trust_mu", dist.Normal(0.0, 1.5))
    trust = numpyro.deterministic("expected_trust", jax.nn.sigmoid(trust_mu))
    weight = trust[rows.treatment][:, None]
    action = weight * game.messages + (1 - weight) * distrusted
    payoff = game.payoffs.sender(state, action, bias) / game.scale
    utility = payoff - aversion[rows.subject][:, None] * lie / game.step
    _choices(precision[rows.subject][:, None] * utility, rows)


def trust_embedded_receiver(rows: Rows) -> None:
    """Expected payoff of each action under a belief between the message and distrust."""
    game, subjects = rows.game, len(rows.subjects)
    message = game.messages[rows.seen][:, None]
    distrusted = rows.distrusted[rows.bias, rows.seen]
    precision = _precision(subjects)
    with numpyro.plate("treatment", len(rows.treatments)):
        mu = numpyro.sample("trust_mu", dist.Normal(0.0, 1.5))
    sigma = numpyro.sample("trust_sigma", dist.HalfNormal(1.0))
    with numpyro.plate("of_trust", subjects):
        offset = numpyro.sample("trust_offset", dist.Normal(0.0, 1.0))
    logit = mu[None, :] + sigma * offset[:, None]
    trust = numpyro.deterministic("trust", jax.nn.sigmoid(logit))
    weight = trust[rows.subject, rows.treatment][:, None]
    believed = weight * message + (1 - weight) * game.states
    payoff = game.payoffs.receiver(believed[:, :, None], game.actions)
    utility = (distrusted[:, :, None] * payoff).sum(axis=1) / game.scale
    _choices(precision[rows.subject][:, None] * utility, rows)


def level_k(rows: Rows) -> None:
    """Each subject's level is summed out of the likelihood of all her trials."""
    subjects, utility = len(rows.subjects), rows.level_utility[rows.bias, :, rows.seen, :]
    precision = _precision(subjects)
    share = numpyro.sample("level_share", dist.Dirichlet(jnp.ones(utility.shape[1])))
    logs = jax.nn.log_softmax(precision[rows.subject][:, None, None] * utility, axis=-1)
    chosen = logs[np.arange(rows.choice.size), :, rows.choice]
    by_subject = jax.ops.segment_sum(chosen, rows.subject, subjects)
    total = jax.scipy.special.logsumexp(jnp.log(share) + by_subject, axis=-1).sum()
    numpyro.factor("choice", total)


def _choices(logits: jax.Array, rows: Rows) -> None:
    with numpyro.plate("trial", rows.choice.size):
        numpyro.sample("choice", dist.Categorical(logits=logits), obs=rows.choice)


MODELS: dict[tuple[str, str], Callable[[Rows], None]] = {
    ("trust-embedded", "sender"): trust_embedded_sender,
    ("trust-embedded", "receiver"): trust_embedded_receiver,
    ("level-k", "sender"): level_k,
    ("level-k", "receiver"): level_k,
}
