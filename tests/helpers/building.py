"""Built PyMC models: their potential at draws from the prior, and their two forms."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from markets import PYTHON
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.graph.replace import graph_replace, vectorize_graph
from pytensor.graph.traversal import ancestors

from trustbayes.models import Model
from trustbayes.models.graph import build_units
from trustbayes.models.parametrisation.information import Information
from trustbayes.priors.prior import Prior

EVERYWHERE = ("subject", "treatment")


def natural_names(chosen):
    return [p.name if p.support != "simplex" else f"{p.name}_share" for p in chosen.parameters]


def random_point(built, names, seed=0, draws=None):
    """The potential and the named values at a draw from the prior."""
    variables = [built["log_likelihood"], *(built[name] for name in names)]
    logs, *values = pm.draw(variables, draws=draws or 1, random_seed=seed, mode=PYTHON)
    return logs, dict(zip(names, values, strict=True))


def setting_id(chosen):
    settings = {
        k: v
        for k, v in chosen.conventions.items()
        if v != {c.name: c.default for c in chosen.spec.conventions}[k]
    }
    varied = {
        p.name: "+".join(chosen.varies[p.name]) or "constant"
        for p in chosen.parameters
        if chosen.varies[p.name] != p.varies
    }
    return " ".join(
        [chosen.name, chosen.role, *map(str, settings.values()), *map(str, varied.values())]
    )


def switch_id(value):
    if isinstance(value, dict):
        return " ".join(
            f"{k}={'+'.join(v) if isinstance(v, tuple) else v}" for k, v in value.items()
        )
    return f"{value.name} {value.role}"


def made_up_information(chosen, units):
    """Uneven weights and couplings, which spare the pilot."""
    rng = np.random.default_rng(8)
    names = [p.name for p in chosen.parameters]
    shape = (len(units.subjects), len(units.treatments))
    weights = {name: rng.dirichlet(np.ones(shape[1]), shape[0]) for name in names}
    couplings = {name: rng.random(shape[0]) for name in chosen.spec.coupling}
    return Information(weights, dict.fromkeys(names, "centred"), couplings=couplings)


def build(chosen, trials):
    """The PyMC model, built without the pilot, which takes time."""
    units = chosen.fold(trials)
    return build_units(chosen, units, trials.game, made_up_information(chosen, units))


def assert_all_bears_on_the_likelihood(chosen, trials):
    """Every free parameter is an ancestor of the likelihood, and no part of a hierarchy lacks."""
    built = build(chosen, trials)
    above = set(ancestors([built["log_likelihood"]]))
    apart = [rv.name for rv in built.free_RVs if rv not in above]
    assert apart == []
    free = {rv.name for rv in built.free_RVs}
    for parameter in chosen.parameters:
        if parameter.support == "simplex":
            assert f"{parameter.name}_share" in free
            continue
        subject = "subject" in chosen.varies[parameter.name]
        prior = chosen.priors[parameter.name]
        for argument, value in prior.arguments.items():
            if isinstance(value, Prior) and (argument == prior.family.location or subject):
                assert f"{parameter.name}_{argument}" in free
        dims = set(built.named_vars_to_dims.get(parameter.name, ()))
        assert dims - {"message"} == set(chosen.varies[parameter.name])


def pointwise(built):
    """A function of the untransformed free parameters: log density, potential, named values."""
    plain = remove_value_transforms(built)
    values = [plain["log_likelihood"], *plain.deterministics]
    outputs = [plain.logp(jacobian=False), *plain.replace_rvs_by_values(values)]
    compiled = plain.compile_fn(outputs, inputs=plain.value_vars, mode=PYTHON)

    def at(point):
        density, *rest = compiled(point)
        names = ["log_likelihood", *(d.name for d in plain.deterministics)]
        return float(density), dict(zip(names, rest, strict=True))

    return at


def densities(built, point, name, values):
    """Log density at values, a row each, of one untransformed free parameter; the rest as given."""
    plain = remove_value_transforms(built)
    [varied] = [value for value in plain.value_vars if value.name == name]
    rest = {v: pt.as_tensor(point[v.name].astype(v.dtype)) for v in plain.value_vars if v != varied}
    rows = pt.tensor(shape=(None, *varied.type.shape))
    [density] = graph_replace([plain.logp(jacobian=False)], rest)
    return pytensor.function([rows], vectorize_graph(density, {varied: rows}), mode=PYTHON)(values)


def assert_both_forms_agree(chosen, trials):
    """Centred and non-centred: the same density of the same values of all subjects."""
    units = chosen.fold(trials)
    information = made_up_information(chosen, units)
    names = [p.name for p in chosen.parameters if p.support != "simplex"]
    built = {
        form: build_units(
            Model(
                chosen.spec,
                varies=chosen.varies,
                parametrisation=dict.fromkeys(names, form),
                **chosen.conventions,
            ),
            units,
            trials.game,
            information,
        )
        for form in ("centred", "non-centred")
    }
    apart = built["non-centred"]
    drawn = pm.draw(apart.free_RVs, random_seed=6, mode=PYTHON)
    point = {rv.name: value for rv, value in zip(apart.free_RVs, drawn, strict=True)}
    moved, log_slope = dict(point), 0.0
    for name in names:
        if f"{name}_offset" not in point:
            continue
        offset = moved.pop(f"{name}_offset")
        location = point[f"{name}_{chosen.priors[name].family.location}"]
        gamma = chosen.priors[name].distribution == "Gamma"
        if gamma:
            location = np.log(location)
        if "treatment" in chosen.varies[name]:
            location = information.weights[name] @ location
        if gamma:
            effect = np.exp(location) * offset
            log_slope += (np.zeros_like(offset) + location).sum()
            key = f"{name}_own" if "treatment" in chosen.varies[name] else name
        else:
            spread = point[f"{name}_sigma"]
            shift = 0.0
            partner = chosen.spec.coupling.get(name)
            if partner and "treatment" not in chosen.varies[partner]:
                partner_key = f"{partner}_own"  # a log-normal one's, on the scale of the logarithm
                known = moved[partner_key] if partner_key in moved else np.log(moved[partner])
                shift = information.couplings[name] * known
            effect = location + shift + spread * offset
            log_slope += offset.size * np.log(spread)
            key = f"{name}_own"
        moved[key] = effect
    assert set(moved) == {rv.name for rv in built["centred"].free_RVs}
    density, values = pointwise(apart)(point)
    density_centred, values_centred = pointwise(built["centred"])(moved)
    for name in names:
        if name in point:
            continue  # without a hierarchy there are no two forms
        # A centred gamma is itself the free parameter, and no deterministic.
        same = values_centred[name] if name in values_centred else moved[name]
        np.testing.assert_allclose(same, values[name], rtol=1e-9, err_msg=name)
    assert values_centred["log_likelihood"] == pytest.approx(values["log_likelihood"], rel=1e-9)
    # p(offset) = p(own) |d own / d offset|, all else being the same numbers.
    assert density == pytest.approx(density_centred + log_slope, rel=1e-9)
    assert set(moved) != set(point)
