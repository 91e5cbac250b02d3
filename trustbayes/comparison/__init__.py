"""Which theory predicts better, by criteria whose unit of prediction is always stated."""

from trustbayes.comparison.pointwise import Pointwise, pointwise
from trustbayes.comparison.table import Comparison, compare
from trustbayes.comparison.verdict import Verdict, verdict
from trustbayes.comparison.waic import waic

__all__ = ["Comparison", "Pointwise", "Verdict", "compare", "pointwise", "verdict", "waic"]
