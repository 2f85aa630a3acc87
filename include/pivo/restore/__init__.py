"""Bringing a repository back: plan → download → reconstruct → push, each callable on its own.

`plan` decides everything and touches nothing; `download` runs on Spark's executors and fills the staging
folder; `reconstruct` makes a bare repository of it and proves it; `push` takes it to a target that is fresh.
"""
