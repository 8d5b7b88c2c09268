"""Benchmarks: they print figures, and are run by hand. See docs/benchmarks.md for the last figures."""
