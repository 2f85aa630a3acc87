"""What was restored, verified and asked."""

from __future__ import annotations

from pivo.agent.brain import Query
from pivo.agent.planner.frames import Frame
from pivo.agent.planner.reading import Reading
from pivo.agent.planner.sql.select import Compiler, Select

_RESTORE = "repo_name, commit_hash, target, who, state, requested_at, finished_at, run_id, detail"
_MODES = {"DRILL": ("drill", "by a restore drill"), "DEEP": ("deep", "that were deep"),
          "SHALLOW": ("shallow", "that were shallow")}  # fmt: skip
_VERIFICATION = "repo_name, mode, verified_at, ok, findings, snapshots, files, run_id, detail"


def _restores(columns: str, tail: str, says: str) -> Compiler:
    def build(frame: Frame, reading: Reading) -> Query:
        select = Select(columns, "v_restores").time(reading, "requested_at").repo(reading, named_only=True)
        select.users(reading)
        if reading.target.endswith("/"):
            select.where("target >= :target AND target < :past_target", f"into {reading.target}", target=reading.target,
                         past_target=reading.target[:-1] + "0")  # fmt: skip
        elif reading.target:
            select.where("target = :target", f"into {reading.target}", target=reading.target)
        asked = frame.kind == "last_restore" and reading.words[0].norm in {"did", "has", "was", "is"}  # how it ended
        if "FAILED" in reading.concepts and not asked:
            select.where("state = 'failed'", "that failed")
        if "SUCCEEDED" in reading.concepts and not asked:
            select.where("state = 'pushed'", "that succeeded")
        if "RUNNING" in reading.concepts:
            select.where("finished_at IS NULL", "that have not ended")
        limit = {"n": frame.limit or 50} if ":n" in tail else {}
        return select.tail(tail, **limit).query(says)

    return build


def _verifications(frame: Frame, reading: Reading) -> Query:
    select = Select(_VERIFICATION, "v_verifications").repo(reading, named_only=True).time(reading, "verified_at")
    if "FAILED" in reading.concepts:
        select.where("ok = 0", "that failed")
    _modes(select, reading)
    if "SUCCEEDED" in reading.concepts:
        select.where("ok = 1", "that found nothing")
    last = "LAST" in reading.concepts and frame.limit is None
    select.tail("ORDER BY verified_at DESC LIMIT :n", n=1 if last else frame.limit or 100)
    return select.query("the last verification" if last else "verifications")


def _modes(select: Select, reading: Reading) -> None:
    for concept, (mode, says) in _MODES.items():
        if concept in reading.concepts:
            select.where("mode = :mode", says, mode=mode)


def _last_verification(frame: Frame, reading: Reading) -> Query:
    select = Select(_VERIFICATION, "v_verifications").repo(reading)
    _modes(select, reading)
    return select.tail("ORDER BY verified_at DESC LIMIT 1").query("the last verification")


def _findings(frame: Frame, reading: Reading) -> Query:
    select = Select("repo_name, found_at, snapshot, file, kind, detail", "v_findings")
    select.repo(reading, named_only=True).time(reading, "found_at")
    return select.tail("ORDER BY found_at DESC LIMIT 200").query("findings of verifications")


def _audit(frame: Frame, reading: Reading) -> Query:
    select = Select("at, who, action, parameters, outcome", "v_audit").time(reading, "at").users(reading)
    if "QUESTION" in reading.concepts:
        select.where("action = 'question'", "that are questions")
    return select.tail("ORDER BY at DESC LIMIT :n", n=frame.limit or 50).query("the audit log")


COMPILERS: dict[str, Compiler] = {
    "restores": _restores(_RESTORE, "ORDER BY requested_at DESC, repo_name LIMIT :n", "restores"),
    "last_restore": _restores(_RESTORE, "ORDER BY requested_at DESC, repo_name LIMIT 1", "the last restore"),
    "count_restores": _restores("COUNT(*) AS restores", "", "the number of restores"),
    "verifications": _verifications,
    "drills": _verifications,
    "last_verification": _last_verification,
    "findings": _findings,
    "audit": _audit,
}
