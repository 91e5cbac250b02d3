"""What the report of a finite game shows and says."""

from trustbayes.report.finite.kind import Finite

__all__ = ["Finite"]
