"""Kinds of questions about the runs of DAGs. Data, with small conditions."""

from __future__ import annotations

from pivo.agent.planner import conditions
from pivo.agent.planner.fits import ONE
from pivo.agent.planner.frames import Rule
from pivo.agent.planner.words import wordset

RUN_RULES: tuple[Rule, ...] = (
    Rule("run_status", "", "STATUS ASOF RUN RESTORE SNAPSHOT VERIFY DRILL LAST", {"run": ONE}),
    Rule(
        "run_status",
        "DAG",
        "RESTORE SNAPSHOT VERIFY DRILL INDEX RUN LAST STATUS ASOF WHEN WHY FAILED SUCCEEDED CURRENT RUNNING HEALTH",
        {},
        lambda r: conditions.over_all(r) and conditions.single(r),
    ),
    Rule(
        "run_status",
        "RUN|STATUS|CURRENT|ASOF RESTORE|SNAPSHOT|VERIFY|DRILL",
        "STATUS ASOF RUN LAST CURRENT RUNNING SUCCEEDED",
        {},
        lambda r: conditions.over_all(r) and not conditions.said(r, wordset("restores verifications drills")),
    ),
)
