"""The mixtures of theories of the forecast-sharing game."""

from __future__ import annotations

from trustbayes.models.forecast import benchmarks, level_k, trust_embedded
from trustbayes.models.mixture import mixture

__all__ = ["RECEIVER", "SENDER"]

SENDER = mixture(trust_embedded.SENDER, level_k.SENDER, benchmarks.BABBLING_SENDER)
RECEIVER = mixture(trust_embedded.RECEIVER, level_k.RECEIVER, benchmarks.BABBLING_RECEIVER)
