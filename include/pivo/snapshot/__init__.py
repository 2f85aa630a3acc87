"""Snapshots in the archive: their manifests, their packs read by ranges, and how they are published."""
