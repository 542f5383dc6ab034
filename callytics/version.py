"""Version number of Callytics: the one place that has it."""

__version__ = "0.9.0"
