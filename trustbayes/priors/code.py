"""Priors that are PyMC code: a function that makes the values of one parameter or several."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.errors import Fault, InputError
from trustbayes.numerics.graphs import PLAIN
from trustbayes.priors.dependencies import source_of, uses_of
from trustbayes.priors.family import Family
from trustbayes.priors.preliz import is_elicited
from trustbayes.priors.prior import Prior

__all__ = ["CustomPrior", "custom_priors_from", "priors_by_parameter"]

_DRAWS = 50  # from the prior, by which shapes and supports are checked
_INSIDE: dict[str, tuple[float, float, str]] = {
    "positive": (0.0, np.inf, "finite values from 0"),
    "unit": (0.0, 1.0, "values from 0 to 1"),
    "real": (-np.inf, np.inf, "finite values"),
}


class CustomPrior(Prior):
    """A function of PyMC code as the prior of one parameter or, jointly, of several.

    Models make it of a function that they are given as a prior. What the function does is known
    by its source and by what it uses from around it, which must be numbers, texts, arrays,
    modules or other functions, so that equal priors can be told from unequal ones, see
    `trustbayes.priors.dependencies.uses_of`.

    Parameters
    ----------
    function : callable or None
        None after a fit was read from a file: its source is never run.
    parameters : tuple of str
    form : mapping, optional
        What a file holds of it; needed without a function.

    Raises
    ------
    InputError
        If it is no function, its source cannot be found, or it uses something else from around it.

    Examples
    --------
    >>> def honest(dims):
    ...     return pm.Exponential("lying_aversion", lam=0.5, dims=dims)
    >>> CustomPrior(honest, ("lying_aversion",))  # doctest: +SKIP
    honest(dims), Python code
    """

    function: Callable[..., Any] | None
    parameters: tuple[str, ...]
    form: Mapping[str, Any]

    def __init__(
        self,
        function: Callable[..., Any] | None,
        parameters: tuple[str, ...],
        form: Mapping[str, Any] | None = None,
    ) -> None:
        if form is None:
            place = f"prior of {', '.join(parameters)}"
            if not inspect.isfunction(function):
                expected = "a Prior or a function, made by def or lambda"
                raise InputError(Fault(place, str(function), expected))
            try:
                inspect.signature(function).bind(None)
            except TypeError:
                expected = "one that takes one argument, the dims"
                raise InputError(Fault(place, f"function {function.__name__}", expected)) from None
            form = {
                "distribution": "callable",
                "name": function.__name__,
                "parameters": list(parameters),
                "source": source_of(function, place),
                "uses": uses_of(function, place),
            }
        for name, value in {
            "distribution": "callable",
            "arguments": {},
            "function": function,
            "parameters": parameters,
            "form": form,
        }.items():
            object.__setattr__(self, name, value)

    @property
    def family(self) -> Family:
        """Of no known support: draws are checked instead."""
        return Family("callable", "callable", ())

    @property
    def source(self) -> str:
        """The text of the function."""
        return str(self.form["source"])

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form: name, parameters, source, and what it uses from around it."""
        return dict(self.form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CustomPrior) and self.form == other.form

    def __hash__(self) -> int:
        return hash(json.dumps(self.form, sort_keys=True))

    def __repr__(self) -> str:
        jointly = f" of {' and '.join(self.parameters)}" if len(self.parameters) > 1 else ""
        return f"{self.form['name']}(dims){jointly}, Python code"

    def _drawn(self, rng: np.random.Generator, size: int, shares: int) -> np.ndarray:
        raise ValueError(f"draws from {self}: found Python code, expected a prior by name")

    def declare(
        self, dims: Mapping[str, tuple[str, ...]], supports: Mapping[str, str]
    ) -> dict[str, Any]:
        """Add the parameters to the PyMC model in context.

        Parameters
        ----------
        dims : mapping of str to tuple of str
            Of each parameter.
        supports : mapping of str to str

        Returns
        -------
        dict of str to PyTensor variable
            The values of each parameter, on the natural standardised scale.

        Raises
        ------
        InputError
            If the function is not at hand, or it returns something else than tensors of the shape
            of the dims, whose draws from the prior lie in the supports.
        """
        place = f"prior of {', '.join(self.parameters)}, function {self.form['name']}"
        if self.function is None:
            expected = (
                "the function, which a file does not hold: give it as "
                "load_fit(path, priors={...}), for draws from the prior and for fitting again"
            )
            raise InputError(Fault(place, "", expected))
        model = pm.modelcontext(None)
        before = {variable.name for variable in model.free_RVs}
        other = len(model.potentials) + len(model.observed_RVs)
        alone = len(self.parameters) == 1
        returned = self.function(dims[self.parameters[0]] if alone else dict(dims))
        if alone:
            returned = {self.parameters[0]: returned}
        if not isinstance(returned, Mapping) or set(returned) != set(self.parameters):
            names = sorted(returned) if isinstance(returned, Mapping) else type(returned).__name__
            expected = f"a dict with the values of {', '.join(self.parameters)}"
            raise InputError(Fault(place, str(names), expected))
        if len(model.potentials) + len(model.observed_RVs) != other:
            expected = "no pm.Potential and nothing observed: draws from the prior pass them over"
            raise InputError(Fault(place, "", expected))
        for variable in model.free_RVs:
            if variable.name not in before and variable.dtype.startswith(("int", "uint", "bool")):
                expected = "continuous variables: sum discrete ones out, as pm.Mixture does"
                raise InputError(Fault(place, str(variable.name), expected))
        tensors = {name: _tensor(returned[name], f"{place}, {name}") for name in self.parameters}
        sizes = {
            name: tuple(len(model.coords[dim] or ()) for dim in over) for name, over in dims.items()
        }
        _check_draws(tensors, dims, sizes, supports, place)
        for name, tensor in tensors.items():
            if name not in model.named_vars:
                tensors[name] = pm.Deterministic(name, tensor, dims=dims[name] or None)
            elif model.named_vars[name] is not tensor:
                expected = f"the variable {name} itself to be returned, or one of another name"
                raise InputError(Fault(place, f"a variable named {name}", expected))
            elif dims[name]:
                model.named_vars_to_dims[name] = dims[name]
        return tensors


def priors_by_parameter(given: Any) -> dict[str, Prior]:
    """Priors by parameter, functions made into `CustomPrior`.

    Parameters
    ----------
    given : mapping of str or tuple of str to Prior, PreliZ distribution or callable
        A tuple for a function that serves several parameters.

    Returns
    -------
    dict of str to Prior

    Raises
    ------
    InputError
        If a parameter has two priors, a tuple has no function, or only some of the parameters of
        a function have it.
    """
    if not isinstance(given, Mapping):
        expected = "a dict, such as {'trust': Prior(...)}"
        raise InputError(Fault("priors", type(given).__name__, expected))
    by_parameter: dict[str, Prior] = {}
    for key, value in given.items():
        names = (key,) if isinstance(key, str) else key
        if not (isinstance(names, tuple) and all(isinstance(name, str) for name in names)):
            raise InputError(
                Fault("priors, key", str(key), "a parameter's name or a tuple of names")
            )
        if is_elicited(value):
            value = Prior.from_preliz(value)
        if isinstance(value, Prior):
            prior = value
            if not isinstance(key, str) and getattr(prior, "parameters", None) != names:
                expected = "a function, to serve several parameters"
                raise InputError(Fault(f"prior of {', '.join(names)}", str(prior), expected))
        else:
            prior = CustomPrior(value, names)
        for name in names:
            if name in by_parameter:
                raise InputError(Fault(f"prior of {name}", "two priors", "one"))
            by_parameter[name] = prior
    for name, prior in by_parameter.items():
        if isinstance(prior, CustomPrior):
            lost = [other for other in prior.parameters if by_parameter.get(other) != prior]
            if lost or name not in prior.parameters:
                expected = f"one that serves {name} alone, or both: priors={{(..., ...): function}}"
                raise InputError(Fault(f"prior of {name}", str(prior), expected))
    return by_parameter


def custom_priors_from(
    forms: Mapping[str, Mapping[str, Any]], given: Mapping[Any, Any] | None
) -> dict[str, CustomPrior]:
    """The priors that are functions, from a model's form and, if at hand, the functions.

    Parameters
    ----------
    forms : mapping of str to mapping
        By parameter, what `Prior.to_dict` made of every prior.
    given : mapping of str or tuple of str to callable, optional
        The functions; priors of the package among them are passed over.

    Returns
    -------
    dict of str to CustomPrior

    Raises
    ------
    InputError
        If a function is of no such parameter, or another than the stored one.
    """
    stored = {name: form for name, form in forms.items() if form["distribution"] == "callable"}
    by_parameter = {
        name: CustomPrior(None, tuple(form["parameters"]), form) for name, form in stored.items()
    }
    for name, prior in priors_by_parameter(given or {}).items():
        if not isinstance(prior, CustomPrior):
            continue
        if name not in stored:
            expected = f"one of the fit's that are functions: {', '.join(stored) or 'none'}"
            raise InputError(Fault(f"prior of {name}", str(prior), expected))
        if prior.form != stored[name]:
            expected = f"the function that was fitted with:\n{by_parameter[name].source}"
            raise InputError(Fault(f"prior of {name}", prior.source, expected))
        by_parameter[name] = prior
    return by_parameter


def _tensor(value: Any, place: str) -> Any:
    try:
        return pt.as_tensor(value)
    except (TypeError, ValueError, NotImplementedError):
        raise InputError(Fault(place, type(value).__name__, "a PyTensor variable")) from None


def _check_draws(
    tensors: Mapping[str, Any],
    dims: Mapping[str, tuple[str, ...]],
    sizes: Mapping[str, tuple[int, ...]],
    supports: Mapping[str, str],
    place: str,
) -> None:
    """Refuse values of a wrong shape, or outside the support at draws from the prior."""
    drawn = pm.draw(list(tensors.values()), draws=_DRAWS, random_seed=0, mode=PLAIN)
    faults = []
    for name, values in zip(tensors, drawn, strict=True):
        shape = np.shape(values)[1:]
        if shape != sizes[name]:
            over = ", ".join(dims[name]) or "nothing"
            expected = f"{sizes[name]}: it varies over {over}"
            faults.append(Fault(f"{place}, {name}, shape", str(shape), expected))
            continue
        lowest, highest, words = _INSIDE[supports[name]]
        values = np.asarray(values, dtype=float)
        bad = values[~(np.isfinite(values) & (values >= lowest) & (values <= highest))]
        if bad.size:
            faults.append(Fault(f"{place}, {name}, draws", f"{bad[0]:.4g}", words))
    if faults:
        raise InputError(faults)
