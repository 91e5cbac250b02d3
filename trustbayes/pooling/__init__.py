"""Several experiments, one answer: a population of experiments above that of people."""
