"""What counts as a healthy Airflow, with its answers written down here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pivo.errors import StackError
from pivo.settings import Settings
from pivo.stack import airflow_probe
from pivo.stack.part import NotReady

START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-01-01T11:59:50Z", "2026-01-01T12:00:05Z"


class Airflow:
    """Answers as Airflow's API does; remembers what was asked."""

    def __init__(self, dags: Path) -> None:
        self.beat = AFTER
        self.parsed = AFTER
        self.errors: list[dict[str, str]] = []
        self.pools = ["default_pool", "pivo_push"]
        self.made: list[str] = []
        self.dags = dags

    def __call__(self, what: str, method: str, url: str, **more: Any) -> httpx.Response:
        path = httpx.URL(url).path
        if (method, path) == ("POST", "/api/v2/pools"):
            self.made.append(more["json"]["name"])
        healthy = {"status": "healthy", "latest_dag_processor_heartbeat": self.beat}
        answers = {
            "/auth/token": {"access_token": "t"},
            "/api/v2/monitor/health": {"metadatabase": {"status": "healthy"}, "dag_processor": healthy},
            "/api/v2/pools": {"pools": [{"name": name} for name in self.pools]},
            "/api/v2/dags": {"dags": [{"fileloc": str(self.dags / "one.py"), "last_parsed_time": self.parsed}]},
            "/api/v2/importErrors": {"import_errors": self.errors},
            "/execution/health": {},
        }
        return httpx.Response(200, json=answers[path])


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "one.py").write_text("from airflow.sdk import dag\n")
    (tmp_path / "dags" / "helper.py").write_text("x = 1\n")
    (tmp_path / "home" / "secrets").mkdir(parents=True)
    (tmp_path / "home" / "secrets" / "airflow-admin").write_text("secret\n")
    fake = Airflow(tmp_path / "dags")
    monkeypatch.setattr(airflow_probe, "request", fake)
    return fake


@pytest.fixture
def health(tmp_path: Path) -> airflow_probe.Health:
    return airflow_probe.Health(Settings.load({"PIVO_ROOT": str(tmp_path), "PIVO_HOME": str(tmp_path / "home")}))


def test_all_is_well(airflow: Airflow, health: airflow_probe.Health) -> None:
    health.dag_processor(START.timestamp())


def test_missing_pools_are_made_and_known_ones_left(airflow: Airflow, health: airflow_probe.Health) -> None:
    health.api(START.timestamp())
    assert airflow.made == ["pivo_fetch", "pivo_index"]


def test_the_heartbeat_of_an_earlier_process_does_not_count(airflow: Airflow, health: airflow_probe.Health) -> None:
    airflow.beat = BEFORE
    with pytest.raises(NotReady, match="dag processor has not reported"):
        health.dag_processor(START.timestamp())


def test_a_dag_file_read_by_an_earlier_process_does_not_count(airflow: Airflow, health: airflow_probe.Health) -> None:
    airflow.parsed = BEFORE
    with pytest.raises(NotReady, match=r"has not read one\.py"):
        health.dag_processor(START.timestamp())


def test_a_dag_file_that_does_not_load_is_named_with_the_reason(airflow: Airflow, health: airflow_probe.Health) -> None:
    airflow.errors = [{"filename": "one.py", "timestamp": AFTER, "stack_trace": "Traceback …\nNameError: nope\n"}]
    with pytest.raises(StackError, match=r"one\.py does not load: NameError: nope"):
        health.dag_processor(START.timestamp())


def test_an_error_that_an_earlier_process_met_does_not_count(airflow: Airflow, health: airflow_probe.Health) -> None:
    airflow.errors = [{"filename": "one.py", "timestamp": BEFORE, "stack_trace": "NameError: nope"}]
    health.dag_processor(START.timestamp())
