"""The main job: fit every model, choose conventions, compare, check."""

from trustbayes.analysis.analyse import Analysis

__all__ = [
    "Analysis",
]
