r"""Hidden steps on a ladder: a chain that moves one step up or down at a time, summed out.

The probability of all that is seen along a chain, given where on the ladder it begins, by the
backward recursion (Baum, Petrie, Soules and Weiss 1970, Annals of Mathematical Statistics 41(1)),
one fused pass with its adjoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import numba_njit, register_funcify_default_op_cache_key

from trustbayes.numerics.arrays import log_total, namespace
from trustbayes.numerics.chains import Chains
from trustbayes.numerics.vectorised import version_of

__all__ = ["HiddenSteps"]

_VERSION = version_of(__file__)
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def _after(k: int, weight: Any, up: float, down: float) -> float:
    """Mean weight of where rung k leads."""
    last = weight.size - 1
    stay, mean = 1.0, 0.0
    if k < last:
        stay -= up
        mean += up * weight[k + 1]
    if k > 0:
        stay -= down
        mean += down * weight[k - 1]
    return mean + stay * weight[k]


@_compiled
def _backward(order: Any, start: Any, logs: Any, up: Any, down: Any) -> Any:
    """Log probability of what is seen from each step on, given the rung at it."""
    rungs = logs.shape[1]
    later = np.empty_like(logs)
    weight = np.empty(rungs)
    for c in range(start.size - 1):
        end = start[c + 1] - 1
        later[order[end]] = logs[order[end]]
        for i in range(end - 1, start[c] - 1, -1):
            e, after = order[i], order[i + 1]
            top = later[after].max()
            top = top if top > -1e300 else -1e300
            for k in range(rungs):
                weight[k] = np.exp(later[after, k] - top)
            for k in range(rungs):
                later[e, k] = logs[e, k] + np.log(_after(k, weight, up[e], down[e])) + top
    return later


@_compiled
def _backward_back(order: Any, start: Any, later: Any, up: Any, down: Any, slope: Any) -> Any:
    """Slopes in logs, up and down, from those in what `_backward` gives at the firsts."""
    rungs = later.shape[1]
    last = rungs - 1
    of_logs = np.zeros_like(later)
    of_up, of_down = np.zeros_like(up), np.zeros_like(up)
    weight = np.empty(rungs)
    for c in range(start.size - 1):
        of_logs[order[start[c]]] += slope[c]
        for i in range(start[c], start[c + 1] - 1):
            e, after = order[i], order[i + 1]
            top = later[after].max()
            top = top if top > -1e300 else -1e300
            for k in range(rungs):
                weight[k] = np.exp(later[after, k] - top)
            for k in range(rungs):
                total = _after(k, weight, up[e], down[e])
                share = of_logs[e, k] / total if total > 0 else 0.0
                stay = 1.0
                if k < last:
                    stay -= up[e]
                    of_logs[after, k + 1] += share * up[e] * weight[k + 1]
                    of_up[e] += share * (weight[k + 1] - weight[k])
                if k > 0:
                    stay -= down[e]
                    of_logs[after, k - 1] += share * down[e] * weight[k - 1]
                    of_down[e] += share * (weight[k - 1] - weight[k])
                of_logs[after, k] += share * stay * weight[k]
    return of_logs, of_up, of_down


@_compiled
def _firsts(order: Any, start: Any, logs: Any, up: Any, down: Any) -> Any:
    later = _backward(order, start, logs, up, down)
    return later[order[start[:-1]]]


@_compiled
def _firsts_back(order: Any, start: Any, logs: Any, up: Any, down: Any, slope: Any) -> Any:
    later = _backward(order, start, logs, up, down)
    return _backward_back(order, start, later, up, down, slope)


@_compiled
def _forward(order: Any, start: Any, begins: Any, logs: Any, up: Any, down: Any) -> Any:
    """Log probability of each rung at each step and of what is seen before it."""
    rungs = logs.shape[1]
    before = np.empty_like(logs)
    weight, moved = np.empty(rungs), np.empty(rungs)
    for c in range(start.size - 1):
        before[order[start[c]]] = begins[c]
        for i in range(start[c], start[c + 1] - 1):
            e, after = order[i], order[i + 1]
            top = (before[e] + logs[e]).max()
            top = top if top > -1e300 else -1e300
            moved[:] = 0.0
            for k in range(rungs):
                weight[k] = np.exp(before[e, k] + logs[e, k] - top)
            for k in range(rungs):
                stay = 1.0
                if k < rungs - 1:
                    stay -= up[e]
                    moved[k + 1] += up[e] * weight[k]
                if k > 0:
                    stay -= down[e]
                    moved[k - 1] += down[e] * weight[k]
                moved[k] += stay * weight[k]
            for k in range(rungs):
                before[after, k] = np.log(moved[k]) + top
    return before


@_compiled
def _walk(order: Any, start: Any, begins: Any, later: Any, up: Any, down: Any, aim: Any) -> Any:
    """A rung at each step, drawn given what is seen from it on."""
    rungs = later.shape[1]
    rung = np.empty(later.shape[0], dtype=np.int64)
    chance = np.empty(rungs)
    for c in range(start.size - 1):
        k = begins[c]
        rung[order[start[c]]] = k
        for i in range(start[c], start[c + 1] - 1):
            e, after = order[i], order[i + 1]
            top = later[after].max()
            chance[:] = 0.0
            stay = 1.0
            if k < rungs - 1:
                stay -= up[e]
                chance[k + 1] = up[e] * np.exp(later[after, k + 1] - top)
            if k > 0:
                stay -= down[e]
                chance[k - 1] = down[e] * np.exp(later[after, k - 1] - top)
            chance[k] = stay * np.exp(later[after, k] - top)
            goal, k, reached = aim[e] * chance.sum(), 0, chance[0]
            while reached <= goal and k < rungs - 1:
                k += 1
                reached += chance[k]
            rung[after] = k
    return rung


class _Firsts(Op):
    """Log probability of what is seen along each chain, given the rung at its beginning."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """A row for each chain."""
        return Apply(self, [pt.as_tensor(value) for value in inputs], [pt.dmatrix()])

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """As many rows as there are chains."""
        return [(shapes[1][0] - 1, shapes[2][1])]

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """By the compiled loop."""
        outputs[0][0] = _firsts(*inputs)

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Where steps stand is no number that a result could slope in."""
        return [[False], [False], [True], [True], [True]]

    def pullback(self, inputs: Any, outputs: Any, gradients: Any) -> list[Variable]:
        """By the adjoint recursion."""
        slopes: Any = _FirstsBack()(*inputs, gradients[0])
        return [DisconnectedType()() for _ in inputs[:2]] + list(slopes)


class _FirstsBack(Op):
    """The adjoint of `_Firsts`."""

    __props__ = ()

    def make_node(self, *inputs: Any) -> Apply:
        """Slopes in the logs, and in the chances of moving up and down."""
        given = [pt.as_tensor(value) for value in inputs]
        return Apply(self, given, [pt.dmatrix(), pt.dvector(), pt.dvector()])

    def infer_shape(self, node: Apply, shapes: Any) -> list[Any]:
        """Those of the inputs."""
        return shapes[2:5]

    def perform(self, node: Apply, inputs: Any, outputs: Any) -> None:
        """By the compiled loop."""
        for output, values in zip(outputs, _firsts_back(*inputs), strict=True):
            output[0] = values


@register_funcify_default_op_cache_key(_Firsts)
def _funcify(op: _Firsts, node: Apply, **given: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def firsts(order: Any, start: Any, logs: Any, up: Any, down: Any) -> Any:
        return _firsts(order, start, logs, up, down)

    return firsts, _VERSION


@register_funcify_default_op_cache_key(_FirstsBack)
def _funcify_back(op: _FirstsBack, node: Apply, **given: Any) -> tuple[Callable[..., Any], int]:
    @numba_njit
    def firsts_back(order: Any, start: Any, logs: Any, up: Any, down: Any, slope: Any) -> Any:
        return _firsts_back(order, start, logs, up, down, slope)

    return firsts_back, _VERSION


@dataclass(frozen=True, eq=False)
class HiddenSteps:
    """How hidden rungs move between the steps of chains, and whose the chains are.

    Parameters
    ----------
    chains : Chains
    subject : array of int, shape (chains,)
        Whose chain it is; all chains of a subject begin on the same rung.
    up, down : array or PyTensor variable, shape (..., steps)
        Probability of moving up, and down, after each step; together at most 1.
    trial_step : array of int, shape (trials,)
        The step of each trial; nothing is seen at the others.
    """

    chains: Chains
    subject: np.ndarray
    up: Any
    down: Any
    trial_step: np.ndarray

    def by_subject(self, logs: Any, subjects: int) -> Any:
        """Log probability of each subject's trials given the rung on which she begins.

        Parameters
        ----------
        logs : array or PyTensor variable, shape (..., trials, rungs)
            Log probability of each trial given the rung.
        subjects : int
            Their number.

        Returns
        -------
        array or PyTensor variable, shape (..., subjects, rungs)
        """
        if namespace(logs, self.up, self.down) is np:
            later = self.later(logs)
            return self._sums(later[..., self.chains.first, :], subjects)
        zeros = pt.zeros(self.chains.order.size)
        seen = pt.zeros((self.chains.order.size, logs.shape[-1]))
        seen = pt.set_subtensor(seen[self.trial_step], logs)
        firsts = _Firsts()(
            self.chains.order, self.chains.start, seen, self.up + zeros, self.down + zeros
        )
        total = pt.zeros((subjects, logs.shape[-1]))
        return pt.inc_subtensor(total[self.subject], firsts)

    def later(self, logs: np.ndarray) -> np.ndarray:
        """Log probability of what is seen from each step on given the rung, (..., steps, rungs)."""
        return self._each(_backward, self._seen(logs))

    def without_each(self, logs: np.ndarray, log_shares: np.ndarray) -> np.ndarray:
        """Log probability of each trial given all others of its subject.

        Parameters
        ----------
        logs : array, shape (draws, trials, rungs)
        log_shares : array, shape (draws, 1 or subjects, rungs)
            Logs of the shares of rungs at the beginning.

        Returns
        -------
        array, shape (draws, trials)
        """
        later = self.later(logs)
        firsts = later[:, self.chains.first]
        possible = np.isfinite(firsts)
        subjects = int(self.subject.max(initial=-1)) + 1
        whole = self._sums(np.where(possible, firsts, 0.0), subjects)[:, self.subject]
        barred = self._sums(1.0 - possible, subjects)[:, self.subject]
        # The other chains tell of the first rung, too, and may exclude it.
        others = np.where(barred - ~possible > 0, -np.inf, whole - np.where(possible, firsts, 0.0))
        begins = np.broadcast_to(log_shares, (len(log_shares), subjects, firsts.shape[-1]))
        begins = begins[:, self.subject] + others
        seen = self._seen(logs)
        up, down = self._moves(seen.shape[:-2])
        before = np.stack(
            [
                _forward(self.chains.order, self.chains.start, *row)
                for row in zip(begins, seen, up, down, strict=True)
            ]
        )
        joint = (before + later)[:, self.trial_step]
        return log_total(joint, axis=-1) - log_total(joint - logs, axis=-1)

    def walk(
        self, logs: np.ndarray | None, begins: np.ndarray, rungs: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw the rung at each trial.

        Parameters
        ----------
        logs : array, shape (draws, trials, rungs), or None
            Given what is seen; without, as the rungs move by themselves.
        begins : array of int, shape (draws, subjects)
            The rung on which each subject begins.
        rungs : int
        rng : numpy.random.Generator

        Returns
        -------
        array of int, shape (draws, trials)
        """
        shape = (len(begins), self.chains.order.size, rungs)
        later = np.zeros(shape) if logs is None else np.broadcast_to(self.later(logs), shape)
        up, down = self._moves((len(begins),))
        aims = rng.random(shape[:2])
        rows = zip(begins[:, self.subject], later, up, down, aims, strict=True)
        order, start = self.chains.order, self.chains.start
        walks = [_walk(order, start, *map(np.ascontiguousarray, row)) for row in rows]
        return np.stack(walks)[:, self.trial_step]

    def _seen(self, logs: np.ndarray) -> np.ndarray:
        """The logs at all steps, shape (..., steps, rungs): nothing is seen at some."""
        seen = np.zeros((*logs.shape[:-2], self.chains.order.size, logs.shape[-1]))
        seen[..., self.trial_step, :] = logs
        return seen

    def _moves(self, leading: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        shape = (*leading, self.chains.order.size)
        up, down = np.broadcast_to(self.up, shape), np.broadcast_to(self.down, shape)
        return np.ascontiguousarray(up), np.ascontiguousarray(down)

    def _each(self, loop: Callable[..., Any], seen: np.ndarray) -> np.ndarray:
        leading = np.broadcast_shapes(seen.shape[:-2], np.shape(self.up)[:-1])
        seen = np.broadcast_to(seen, (*leading, *seen.shape[-2:]))
        up, down = self._moves(leading)
        rows = zip(
            np.ascontiguousarray(seen).reshape(-1, *seen.shape[-2:]),
            up.reshape(-1, up.shape[-1]),
            down.reshape(-1, up.shape[-1]),
            strict=True,
        )
        outputs = [loop(self.chains.order, self.chains.start, *row) for row in rows]
        return np.array(outputs).reshape(seen.shape)

    def _sums(self, firsts: np.ndarray, subjects: int) -> np.ndarray:
        total = np.zeros((*firsts.shape[:-2], subjects, firsts.shape[-1]))
        np.add.at(np.moveaxis(total, -2, 0), self.subject, np.moveaxis(firsts, -2, 0))
        return total
