"""What can be asked instead: the examples that are nearest to a refused question, filled with names that are there."""

from __future__ import annotations

import difflib

EXAMPLES = (
    "Who committed last to {repo}?",
    "Show the last 5 commits in {repo}",
    "Which commits are on the {branch} branch of {repo}?",
    "How many commits were there last week in {repo}?",
    "Commits per week in {repo} in the last 3 months",
    "Who are the contributors of {repo}?",
    "Who has the fewest commits in {repo}?",
    "When was {repo} last backed up?",
    "List the snapshots of {repo}",
    "Which repositories were not snapshotted since yesterday?",
    "Which repositories were never verified?",
    "How healthy is the archive?",
    "List the branches of {repo}",
    "Which commits of {repo} were lost by a force-push?",
    "List the files of {repo} as of yesterday",
    "What did the last commit in {repo} change?",
    "Which files changed last week in {repo}?",
    "Which commits mention 'fix' in {repo}?",
    "Who restored {repo}?",
    "Restore the '{repo}' repo to the latest commit",
    "Take a snapshot of {repo}",
    "Verify {repo}",
)
"""Questions that can be asked; a refusal suggests the nearest."""


def nearest(question: str, repo: str, branch: str, count: int = 3) -> tuple[str, ...]:
    """The `count` examples that are most like `question`. Likeness only suggests; it never answers."""
    filled = [example.format(repo=repo, branch=branch) for example in EXAMPLES]
    scores = {e: difflib.SequenceMatcher(None, question.casefold(), e.casefold()).ratio() for e in filled}
    return tuple(sorted(filled, key=lambda e: -scores[e])[:count])
