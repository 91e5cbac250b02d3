"""A model that a user has chosen, ready to meet trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from warnings import warn

import pymc as pm

from trustbayes.games import Game
from trustbayes.models.additions import mark
from trustbayes.models.describe import Description, describe
from trustbayes.models.graph import build_units
from trustbayes.models.settings import ModelSettings
from trustbayes.trials.table import Trials

__all__ = ["Model"]

_RENAMED = {
    "but": "replace",
    "settle": "resolve_conventions",
    "coded": "code_priors",
    "bound": "inseparable_priors",
    "learnt": "fixed_to",
}
"""Names of version 0.1: old to new."""


class Model(ModelSettings):
    """A theory with its priors and conventions, ready to meet trials.

    Parameters
    ----------
    spec : ModelSpec
    priors : mapping of str to Prior, PreliZ distribution or callable, optional
        In place of the defaults, on the natural standardised scale. A callable is any PyMC code:
        called inside the model context with the parameter's dims, such as ("subject",), it
        returns a tensor of their shape. Under a tuple of names one callable serves several
        parameters jointly: it is called with a dict of their dims and returns a dict of tensors.
        Coordinates are in ``pymc.modelcontext(None).coords``.
    varies : mapping of str to tuple of str, optional
        Over what a parameter varies: any of "subject" and "treatment".
    parametrisation : mapping of str to "centred" or "non-centred", optional
        In place of the choice made from the data; it bears on the sampler's speed only.
    formulas : mapping of str to str, optional
        Regressions on people and treatments, see `trustbayes.models.formula.Formula`: by parameter
        that varies by subject, such as ``{"trust": "1 + treatment + crt + (1 | group)"}``, or of
        shares that have a Dirichlet prior, ``{"level": "1 + crt"}``, a multinomial logit. The
        formula takes the place of the population's location on the scale of the link, whose prior
        becomes that of the intercept, the location of average people; treatments differ only if
        the formula says so. Priors of coefficients are set by ``priors`` of ``trust_slope`` (of
        all slopes; lists as arguments hold one number for each column) and ``trust_group_sigma``.
    **conventions
        In place of the spec's defaults.

    Raises
    ------
    ValueError
        If a name is unknown (with a suggestion), a prior's support does not fit its parameter, or
        a convention's value is not among its choices.

    Examples
    --------
    >>> from trustbayes.models import TrustEmbedded
    >>> model = TrustEmbedded(role="receiver", belief="prior")
    >>> model.conventions["belief"]
    'prior'
    """

    def describe(self, game: Game | None = None) -> Description:
        """Parameters, priors and conventions in tables, and in plain text what depends on what.

        Parameters
        ----------
        game : Game, optional
            Settles the conventions that depend on the game.

        Returns
        -------
        Description
            Printed as text; in a notebook it shows as HTML.

        Raises
        ------
        InputError
            If the game is of another kind than the model's.

        Examples
        --------
        >>> from trustbayes.models import TrustEmbedded
        >>> table = TrustEmbedded("receiver").describe().parameters.set_index("parameter")
        >>> table.loc["trust", "prior"]
        'LogitNormal(mu=Normal(mu=0, sigma=1.5), sigma=HalfNormal(sigma=1))'
        """
        if game is not None:
            self.check_kind(game)
        return describe(self, game)

    def build(self, trials: Trials) -> pm.Model:
        """The PyMC model of the trials.

        Parameters
        ----------
        trials : Trials

        Returns
        -------
        pymc.Model
            Its coordinates are subject, treatment and, where there are any, level or message.
            Parameters are on the natural standardised scale under their names; the likelihood is
            the potential ``log_likelihood``. Variables may be added to it, and the whole given to
            `trustbayes.fit` as ``built``.

        Raises
        ------
        ValueError
            If the trials lack the model's role, or are of another kind of game.
        """
        return mark(build_units(self, self.fold(trials), trials.game), self, trials)

    if not TYPE_CHECKING:  # a type checker would take any name for one of these

        def __getattr__(self, name: str) -> Any:
            """Give what had the name in version 0.1, with a warning that says its name now."""
            if name not in _RENAMED:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            new = _RENAMED[name]
            warn(f"Model.{name} is now Model.{new}", FutureWarning, stacklevel=2)
            return getattr(self, new)
