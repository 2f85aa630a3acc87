"""The health page and its API, inside a real Airflow API server whose Kafka is what it is."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["/pivo/health", "/pivo/api/health"])
def test_anonymous_gets_nothing(airflow, path: str) -> None:
    with airflow.client() as client:
        assert client.get(path).status_code == 401


def test_every_login_sees_how_things_are(airflow) -> None:
    with airflow.client("viewer") as client:
        found = client.get("/pivo/api/health")
        assert found.status_code == 200
        told = found.json()
        page = client.get("/pivo/health")
    assert [row["name"] for row in told["repositories"]] == ["acme/tool", "acme/web"]
    assert told["indexed"] is True and isinstance(told["ok"], bool)
    assert all({"level", "part", "what", "do"} == set(finding) for finding in told["findings"])
    assert told["ok"] is not any(finding["level"] == "problem" for finding in told["findings"])
    assert page.status_code == 200 and "assets/health.js" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
