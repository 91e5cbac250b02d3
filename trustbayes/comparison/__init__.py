"""Which theory predicts better, by criteria whose unit of prediction is always stated."""

from trustbayes.comparison.loso import SubjectScores, leave_one_subject_out, log_score
from trustbayes.comparison.pointwise import Pointwise, pointwise
from trustbayes.comparison.table import Comparison, compare
from trustbayes.comparison.verdict import Verdict, verdict
from trustbayes.comparison.waic import waic

__all__ = [
    "Comparison",
    "Pointwise",
    "SubjectScores",
    "Verdict",
    "compare",
    "leave_one_subject_out",
    "log_score",
    "pointwise",
    "verdict",
    "waic",
]
