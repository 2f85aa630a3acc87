"""Proving what the archive holds: shallow (every byte), deep (every object), and by drill (a restore)."""
