"""Views of what was done and found: restores, audit, verifications, and the index itself."""

from __future__ import annotations

from pivo.index.view import View, columns

RECORDS: tuple[View, ...] = (
    View(
        "v_restores",
        "One row a restore of one repository: what, where to, who asked, how it went.",
        "restores x",
        columns(
            ("run_id", "x.run_id", "Airflow's run"),
            ("repo_name", "x.repo_name", "repository"),
            ("commit_hash", "x.commit_hash", "commit that was restored"),
            ("ref", "x.ref", "what the person asked for"),
            ("target", "x.target", "where it was restored to"),
            ("who", "x.who", "who asked for it"),
            (
                "state",
                "x.state",
                "requested, validated, waiting (for approval), approved, downloaded, reconstructed, pushed or failed",
            ),
            ("requested_at", "x.requested_at", "when it was asked for"),
            ("finished_at", "x.finished_at", "when it was pushed or failed; NULL while it runs"),
            ("detail", "x.detail", "more, e.g. why it failed"),
        ),
    ),
    View(
        "v_restore_steps",
        "One row a step of a restore.",
        "restore_events e",
        columns(
            ("run_id", "e.run_id", "Airflow's run"),
            ("repo_name", "e.repo_name", "repository"),
            ("state", "e.state", "what it came to"),
            ("at", "e.at", "when"),
            ("who", "e.who", "who asked for it"),
            ("detail", "e.detail", "more"),
        ),
    ),
    View(
        "v_audit",
        "One row a thing that somebody asked for or did.",
        "audit a",
        columns(
            ("at", "a.at", "when"),
            ("who", "a.who", "who"),
            ("action", "a.action", "question, tool, proposal, confirmation, refusal, trigger, …"),
            ("parameters", "a.parameters", "JSON, without secrets; parameters ->> '$.repo' reads one"),
            ("outcome", "a.outcome", "what came of it"),
        ),
    ),
    View(
        "v_verifications",
        "One row a verification of one repository's archive, or a restore drill.",
        "verifications v",
        columns(
            ("run_id", "v.run_id", "Airflow's run, or the command's"),
            ("repo_name", "v.repo_name", "repository"),
            (
                "mode",
                "v.mode",
                "shallow (manifests, sizes, SHA-256), deep (every object and connectivity too) or drill (a restore)",
            ),
            ("verified_at", "v.at", "when it ended"),
            ("ok", "v.ok", "1 when nothing was found wrong"),
            ("findings", "v.findings", "how many findings; v_findings has them"),
            ("snapshots", "v.snapshots", "snapshots looked at"),
            ("files", "v.files", "files read whole"),
            ("size", "v.size", "their bytes"),
            ("objects", "v.objects", "objects whose hash was checked"),
            ("last_seq", "v.last_seq", "number of the newest snapshot that was seen"),
            ("manifest_sha256", "v.manifest_sha256", "SHA-256 of that snapshot's manifest"),
            ("seconds", "v.seconds", "how long it took"),
            ("who", "v.who", "who asked for it"),
            ("detail", "v.detail", "more, e.g. what a drill restored and where to"),
        ),
    ),
    View(
        "v_findings",
        "One row a thing that a verification found wrong in the archive.",
        "findings f LEFT JOIN verifications v ON v.run_id = f.run_id AND v.repo_name = f.repo_name AND v.mode = f.mode",
        columns(
            ("run_id", "f.run_id", "the verification's run"),
            ("repo_name", "f.repo_name", "repository"),
            ("found_at", "v.at", "when it was found"),
            ("snapshot", "f.snapshot", "the snapshot's folder; empty where the whole repository is meant"),
            ("file", "f.file", "the file in it; empty where the whole snapshot is meant"),
            (
                "kind",
                "f.kind",
                "missing, foreign, size, bytes, unreadable, manifest, chain, replaced, pack, idx, object, ref, restore",
            ),
            ("detail", "f.detail", "what is wrong, in words"),
        ),
    ),
    View(
        "v_index_problems",
        "One row a message that could not be used, or a run of messages that Kafka no longer had.",
        "(SELECT topic, partition, offset, offset AS last, reason, seen_at, NULL AS mended_at FROM dead_letters"
        " UNION ALL SELECT topic, partition, from_offset, to_offset - 1, reason, found_at, filled_at"
        " FROM kafka_gaps) d",
        columns(
            ("topic", "d.topic", "Kafka topic"),
            ("partition", "d.partition", "its partition"),
            ("first_offset", "d.offset", "offset of the message, or the first missing one"),
            ("last_offset", "d.last", "offset of the message, or the last missing one"),
            ("reason", "d.reason", "what is wrong with it"),
            ("seen_at", "d.seen_at", "when it was found"),
            ("mended_at", "d.mended_at", "when a gap was filled from the archive"),
        ),
    ),
)
