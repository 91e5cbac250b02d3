"""The main job: fit every model, choose conventions, compare, check."""

from trustbayes.analysis.analyse import Analysis, analyse

__all__ = ["Analysis", "analyse"]
