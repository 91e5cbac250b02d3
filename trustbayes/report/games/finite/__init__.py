"""What the report of a finite game shows and says."""

from trustbayes.report.games.finite.kind import Finite

__all__ = ["Finite"]
