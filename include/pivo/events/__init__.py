"""Events: dataclasses ⇄ CloudEvents 1.0 ⇄ Kafka. The index is built from them, and only from them."""

from pivo.events.codec import commit_events, dump, parse, snapshot_events
from pivo.events.log import EventLog
from pivo.events.topics import (
    AUDIT_TOPIC,
    COMMIT_TOPIC,
    STATE_TOPIC,
    client_config,
    ensure_topics,
    unavailable,
)
from pivo.events.types import (
    AuditEvent,
    CommitEvent,
    Event,
    HeartbeatEvent,
    ParseFailure,
    RestoreEvent,
    RestoreState,
    SnapshotEvent,
    SnapshotRefsEvent,
    VerifyEvent,
)

__all__ = [
    "AUDIT_TOPIC",
    "COMMIT_TOPIC",
    "STATE_TOPIC",
    "AuditEvent",
    "CommitEvent",
    "Event",
    "EventLog",
    "HeartbeatEvent",
    "ParseFailure",
    "RestoreEvent",
    "RestoreState",
    "SnapshotEvent",
    "SnapshotRefsEvent",
    "VerifyEvent",
    "client_config",
    "commit_events",
    "dump",
    "ensure_topics",
    "parse",
    "snapshot_events",
    "unavailable",
]
