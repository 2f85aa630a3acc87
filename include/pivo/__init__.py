"""PIVO keeps every commit of an organisation's git repositories and brings any of them back."""

__version__ = "0.1.0"
