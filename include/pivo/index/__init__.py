"""The index: one SQLite file, derived from the events, written by one writer, read through a guard."""
