"""What the report of a forecast-sharing game shows and says."""

from trustbayes.report.games.forecast.kind import Forecast

__all__ = ["Forecast"]
