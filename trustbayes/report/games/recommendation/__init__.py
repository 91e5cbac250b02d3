"""What the report of recommendations shows and says."""

from trustbayes.report.games.recommendation.kind import Recommendation

__all__ = ["Recommendation"]
