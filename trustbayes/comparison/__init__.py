"""Which theory predicts better, by criteria whose unit of prediction is always stated."""

from trustbayes.comparison.agreement import Agreement, agreement
from trustbayes.comparison.averaging import Averaged, averaged
from trustbayes.comparison.basis import Basis
from trustbayes.comparison.both_roles import BothRoles, both_roles
from trustbayes.comparison.by_person import by_person, shares, single_theories, theory_of
from trustbayes.comparison.compare import Comparison
from trustbayes.comparison.heldout import NEW_PEOPLE, HeldOut, check_new_subjects
from trustbayes.comparison.loso import SubjectScores, leave_one_subject_out, log_score
from trustbayes.comparison.pointwise import Pointwise, pointwise
from trustbayes.comparison.refits import check_folds, hold_out, kfold, refit_without
from trustbayes.comparison.verdict import Verdict, verdict, verdict_rules
from trustbayes.comparison.waic import waic

__all__ = [
    "NEW_PEOPLE",
    "Agreement",
    "Averaged",
    "Basis",
    "BothRoles",
    "Comparison",
    "HeldOut",
    "Pointwise",
    "SubjectScores",
    "Verdict",
    "agreement",
    "averaged",
    "both_roles",
    "by_person",
    "check_folds",
    "check_new_subjects",
    "hold_out",
    "kfold",
    "leave_one_subject_out",
    "log_score",
    "pointwise",
    "refit_without",
    "shares",
    "single_theories",
    "theory_of",
    "verdict",
    "verdict_rules",
    "waic",
]
