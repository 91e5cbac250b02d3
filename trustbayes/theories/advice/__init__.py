"""Taking recommendations without a trust factor: keep, follow, average, choose."""
