"""In which coordinates subjects are sampled."""
