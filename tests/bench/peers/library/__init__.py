"""The recordings as an application of Django."""
