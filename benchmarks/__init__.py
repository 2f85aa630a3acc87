"""Benchmarks: each prints a table of ratios, both sides measured in turn in one run. The stack must be up."""
