"""The views: all that a question may name, with what every column means. Told on by :mod:`pivo.index.schema`."""

from __future__ import annotations

from pivo.index.view import Column, View
from pivo.index.views_history import HISTORY
from pivo.index.views_records import RECORDS

__all__ = ["VIEWS", "Column", "View"]

VIEWS: tuple[View, ...] = (*HISTORY, *RECORDS)
