"""Reading a game from a TOML file, strictly: every unknown key is a fault, all are reported."""

from __future__ import annotations

from pathlib import Path

from trustbayes.errors import InputError
from trustbayes.games.base import Game
from trustbayes.games.game import KINDS
from trustbayes.games.toml_section import read_section

__all__ = ["read_game"]


def read_game(path: str | Path) -> Game:
    """Read a game file.

    Parameters
    ----------
    path : str or Path
        A TOML file with the key ``kind``, optionally ``name`` (default: the file's name), the
        optional tables

        - ``[columns]``: standard column name = name in the trial file; ``treatment`` may be a
          list of columns, whose cells together, with ", " between them, name the treatment,
        - ``[exclude]``: column of the trial file = value, ``{below = 2}``, ``{above = 60}`` or
          ``{value = 0, share_above = 0.25, of = "column of people"}`` (all rows of people in whose
          rows the value is that frequent), or a list of these,
        - ``[rows]``: ``per = "interaction"`` (the default) or ``per = "player"`` with ``person``,
          the column of players; ``pair``, the columns that name an interaction (without it every
          row is a trial of its own, against a computer); ``role``, the column of roles (without
          it by whether state or action is filled), and what stands there, ``sender`` and
          ``receiver``; ``take``, standard column = "sender" or "receiver", whose row counts where
          they differ; ``unpaired`` = "refuse" (the default), "leave out" or "keep"; ``app``, of
          an oTree export with several,
        - ``[feedback]``: ``shown`` = "state", "payoff" or "none" after each trial, or these by
          treatment, or instead ``column``, the column of the trial file that says it;
          ``partners`` = "random" (the default), "fixed", or the column that names the partner,

        and the keys of its kind. ``kind = "finite"``: ``states``, optionally ``messages`` and
        ``actions`` (default: the states; labels that are no estimates of the state as
        ``["accept", "challenge"]``, or as ``{accept = 0, challenge = 1}`` if files have these
        numbers), ``prior`` and ``receiver_prior`` (default: "uniform", and the prior),
        ``direction = "up"``, ``"down"`` or ``"none"`` (whether senders gain by higher messages;
        default: the sign of the bias), and the tables

        - ``[payoffs]``: ``family = "power-loss"`` with ``constant``, ``scale``, ``exponent``; or
          ``family = "formula"`` with ``sender`` and ``receiver``, formulas of state, message,
          action, the sender's also of bias, and constants, see
          `trustbayes.games.formula.parse_formula`, and optionally ``constants``, a table of
          numbers; or ``family = "table"`` with ``sender`` and ``receiver``, CSV files beside the
          game file with the column payoff and any of state, message, action and treatment (and,
          for the sender, optionally bias: one table per bias; without it one table serves every
          bias),
        - ``[treatments]``, optional: name = bias or list of biases; or a table
          ``[treatments.NAME]`` with any of ``bias`` (default 0), ``prior``, ``receiver_prior``,
          ``direction`` and the treatment's constants, which the formulas name.

        ``kind = "forecast-sharing"``, all optional with the defaults of `ForecastGame`:
        ``mean_demand``, ``forecast_range`` and ``largest_capacity`` (units of demand),
        ``retail_price``, ``wholesale_price`` and ``production_cost`` (payoff units per unit of
        demand), and the table

        - ``[treatments]``: name = {capacity_cost = number, uncertainty = number}.

        ``kind = "interval"``: ``lowest`` and ``highest``, the ends of states, messages and actions;
        optionally ``step``, how finely answers are recorded (default: a ten-thousandth of the
        interval, of which a whole number of steps must make all) and ``round_to``, a number to
        whose multiples people may round (none by default); and the tables

        - ``[treatments]``: name = bias, of either sign,
        - ``[payoffs]``, optional: ``constant`` (default 100), ``scale`` (default: payoffs fall to 0
          over the interval's width), ``exponent`` (default 2, the quadratic loss), and
          ``family = "power-loss"``.

        ``kind = "recommendation"``, with the defaults of `RecommendationGame`: ``lowest`` and
        ``highest``, ``unit`` (needed unless both ends are given), ``step``, ``advisers``; for
        simulations ``typical_outcome``, ``outcome_spread`` and ``estimate_error``; no ``[rows]``;
        and the optional table

        - ``[treatments]``: name = {adviser_error = number}.

    Returns
    -------
    Game
        Of the file's kind, with the file's ``[columns]`` and ``[exclude]`` as its ``layout``.

    Raises
    ------
    InputError
        Listing everything that is wrong with the file.

    Examples
    --------
    >>> read_game("data/games/ioannidis-2024.toml").treatments  # doctest: +SKIP
    {'Low': (0.2,), 'Medium': (1.0,), 'Large': (2.0,)}
    """
    path = Path(path)
    section = read_section(path, "a game file (TOML)")
    kind = section.text("kind", choices=tuple(KINDS))
    if kind is None:
        raise InputError(section.faults)
    game = KINDS[kind].read(section, path)
    if section.faults or game is None:
        raise InputError(section.faults)
    return game
