"""How people play: plain array functions of a game and of a person's parameters."""

from __future__ import annotations
