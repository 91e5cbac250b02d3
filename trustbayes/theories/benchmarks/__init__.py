"""The benchmarks: babbling, and full trust."""
