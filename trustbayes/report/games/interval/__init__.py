"""What the report of a game on an interval shows and says."""

from trustbayes.report.games.interval.kind import Interval

__all__ = ["Interval"]
