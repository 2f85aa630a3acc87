"""Questions with gold answers: how many the offline planner answers rightly, wrongly, or refuses.

python -m benchmarks questions              # all files
python -m benchmarks questions paraphrases  # one: grown, paraphrases, later, independent, independent2, traps
"""

from __future__ import annotations

from benchmarks.questions.run import main

__all__ = ["main"]
