"""The tables of the report, made from its results and from nothing else."""

from trustbayes.report.tables.estimates import (
    corner_table,
    coverage_table,
    gap_table,
    population_table,
    sensitivity_table,
    type_table,
    worth_table,
)
from trustbayes.report.tables.making import (
    coinciding_table,
    exclusion_table,
    gate_table,
    model_tables,
    record_table,
)
from trustbayes.report.tables.predictions import (
    alike_table,
    comparison_tables,
    kfold_table,
    reliability_table,
    share_table,
    variant_table,
)

__all__ = [
    "alike_table",
    "coinciding_table",
    "comparison_tables",
    "corner_table",
    "coverage_table",
    "exclusion_table",
    "gap_table",
    "gate_table",
    "kfold_table",
    "model_tables",
    "population_table",
    "record_table",
    "reliability_table",
    "sensitivity_table",
    "share_table",
    "type_table",
    "variant_table",
    "worth_table",
]
