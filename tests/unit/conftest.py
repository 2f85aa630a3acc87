"""What `make unit` leaves to `make test`: the files that wait for silence, kill, fill disks, or ask all there is."""

from __future__ import annotations

import pytest

SLOW = {
    "test_agreement.py",
    "test_archive_page.py",
    "test_attacks.py",
    "test_audit_log.py",
    "test_consolidate.py",
    "test_damage.py",
    "test_gaps.py",
    "test_gemini.py",
    "test_health_page.py",
    "test_hostile.py",
    "test_in_airflow.py",
    "test_injection.py",
    "test_installed.py",
    "test_killed.py",
    "test_large.py",
    "test_lfs.py",
    "test_mcp.py",
    "test_packs.py",
    "test_planner_benchmark.py",
    "test_planner_phrasing.py",
    "test_rebuild.py",
    "test_restless_source.py",
    "test_restore_faults.py",
    "test_restore_full_disk.py",
    "test_restore_many.py",
    "test_restore_memory.py",
    "test_restore_path.py",
    "test_restore_retained.py",
    "test_restore_ssh.py",
    "test_restore_whole.py",
    "test_retain.py",
    "test_source.py",
    "test_stack_supervisor.py",
    "test_thin.py",
    "test_thin_damage.py",
    "test_webhdfs.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in SLOW:
            item.add_marker("slow")
