"""The models of the finite game, declared."""

from __future__ import annotations

from trustbayes.theories.benchmarks import declaration as benchmarks
from trustbayes.theories.hybrid import declaration as hybrid
from trustbayes.theories.level_k import declaration as level_k
from trustbayes.theories.mixture import declaration as mixture
from trustbayes.theories.trust_embedded import declaration as trust_embedded

__all__ = ["FINITE_SPECS", "FORECAST_SPECS"]

FINITE_SPECS = (
    trust_embedded.FINITE_SENDER,
    trust_embedded.FINITE_RECEIVER,
    level_k.FINITE_SENDER,
    level_k.FINITE_RECEIVER,
    hybrid.FINITE_SENDER,
    hybrid.FINITE_RECEIVER,
    mixture.FINITE_SENDER,
    mixture.FINITE_RECEIVER,
    benchmarks.FINITE_BABBLING_SENDER,
    benchmarks.FINITE_BABBLING_RECEIVER,
    benchmarks.FINITE_FULL_TRUST_SENDER,
    benchmarks.FINITE_FULL_TRUST_RECEIVER,
)
"""In the order of reports."""


FORECAST_SPECS = (
    trust_embedded.FORECAST_SENDER,
    trust_embedded.FORECAST_RECEIVER,
    level_k.FORECAST_SENDER,
    level_k.FORECAST_RECEIVER,
    hybrid.FORECAST_SENDER,
    hybrid.FORECAST_RECEIVER,
    mixture.FORECAST_SENDER,
    mixture.FORECAST_RECEIVER,
    benchmarks.FORECAST_BABBLING_SENDER,
    benchmarks.FORECAST_BABBLING_RECEIVER,
    benchmarks.FORECAST_FULL_TRUST_SENDER,
    benchmarks.FORECAST_FULL_TRUST_RECEIVER,
)
"""In the order of reports."""
