"""Benchmarks: ratios of what is compared in one run, on the same petitions."""
