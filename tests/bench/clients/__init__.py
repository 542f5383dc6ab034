"""Benchmarks of the worker as an ARI client."""
