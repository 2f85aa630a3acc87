"""Benchmarks: `python -m benchmarks [name …]` runs them; each is a module with a `main()` that prints a table."""
