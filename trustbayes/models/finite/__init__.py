"""The models of the finite game, declared."""

from trustbayes.models.finite import benchmarks, hybrid, level_k, mixture, trust_embedded

__all__ = ["SPECS"]

SPECS = (
    trust_embedded.SENDER,
    trust_embedded.RECEIVER,
    level_k.SENDER,
    level_k.RECEIVER,
    hybrid.SENDER,
    hybrid.RECEIVER,
    mixture.SENDER,
    mixture.RECEIVER,
    benchmarks.BABBLING_SENDER,
    benchmarks.BABBLING_RECEIVER,
    benchmarks.FULL_TRUST_SENDER,
    benchmarks.FULL_TRUST_RECEIVER,
)
"""In the order of reports."""
