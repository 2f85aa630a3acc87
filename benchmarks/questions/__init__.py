"""Questions with gold answers: how many the offline planner answers rightly, wrongly, or refuses.

python -m benchmarks questions            # the questions that it was grown with, and those that must be refused
python -m benchmarks questions paraphrases
"""

from __future__ import annotations

from benchmarks.questions.run import main

__all__ = ["main"]
