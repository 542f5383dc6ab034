"""Benchmarks: two things compared in one run, one figure a line."""
