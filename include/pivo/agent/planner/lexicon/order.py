"""What follows what, and hours and weekdays. Data only."""

from __future__ import annotations

ORDER: dict[str, str] = {
    "SMALLEST": "smallest first|lightest first",
    "LEAST": "fewest first|least first|lowest first",
    "FORCED": (
        "hit by a force push|hit by a force-push|affected by a force push|affected by a force-push|"
        "victim of a force push|suffered a force push|had a force push|had a force-push"
    ),
    "LOST COMMIT COMMITS": "abandoned commits",
    "CHILD": (
        "follows|followed|follow|child|children|successor|successors|comes after|next commit after|commit after|"
        "directly after|right after|immediately after|succeeds|comes directly after|comes right after|child commit|"
        "child commits"
    ),
    "BY_WEEKDAY": (
        "per weekday|by weekday|by day of the week|per day of the week|each weekday|on which weekday|which weekday|"
        "which day of the week|what day of the week|on which day of the week|on what day of the week|what weekday|"
        "for each weekday|on what weekday|per day of week|by day of week"
    ),
    "BY_HOUR": (
        "per hour|by hour|hourly|at which hour|which hour|what hour|at what hour|hour of the day|which hour of the day|"
        "what hour of the day|at what hour of the day|at which hour of the day|what time of day|at what time of day|"
        "at which time of day|by hour of the day|per hour of the day|by time of day|which hours|at which hours"
    ),
}
"""Concepts → phrases, parted by `|`."""
