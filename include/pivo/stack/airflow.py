"""Airflow: API server, scheduler, DAG processor and triggerer, each a process of its own on one SQLite database.

Not `airflow standalone`: it migrates at every start, cannot be told that a piece of it died, and serves task logs
on every interface. Logs are read from the shared folder instead (`--skip-serve-logs`).
"""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cryptography.fernet import Fernet

from pivo.errors import StackError
from pivo.settings import Settings
from pivo.stack import airflow_probe as probes
from pivo.stack import spark
from pivo.stack.java import Find
from pivo.stack.keys import secret
from pivo.stack.part import HOST, Folders, Part, environment, write_config
from pivo.stack.process import tail

USERS = {"admin": "admin", "user": "user", "viewer": "viewer"}
"""Who can log in, and their role."""


def folder(settings: Settings) -> Path:
    """AIRFLOW_HOME."""
    return settings.home / "airflow"


def connections(settings: Settings) -> dict[str, dict[str, object]]:
    """The Connections that pivo.hooks reads, by id."""
    ports = settings.ports
    made: dict[str, dict[str, object]] = {
        "pivo_hdfs": {
            "conn_type": "webhdfs",
            "host": HOST,
            "port": ports.namenode_http,
            "login": settings.archive_reader,
            "extra": {
                "writer": settings.archive_writer,
                "keeper": settings.archive_keeper,
                "path": "/backups",
            },
        },
        "pivo_kafka": kafka_connection(settings),
        "pivo_spark": {"conn_type": "spark", "host": f"spark://{HOST}", "port": ports.spark_master},
        "pivo_github": {
            "conn_type": "http",
            "host": settings.forge.api_url,
            "password": settings.forge.token or secret(settings.home / "secrets" / "forge-token"),
        },
    }
    if settings.gemini.api_key:
        made["pivo_gemini"] = {"conn_type": "google_genai", "password": settings.gemini.api_key}
    return made


def kafka_connection(settings: Settings) -> dict[str, object]:
    """The Connection that Airflow's trigger listens with, as PIVO's own clients reach Kafka."""
    trigger = {"group.id": "pivo-index-trigger", "enable.auto.commit": False, "auto.offset.reset": "latest"}
    return {"conn_type": "kafka", "extra": {**settings.kafka, **trigger}}


def configuration(settings: Settings) -> dict[str, str]:
    """AIRFLOW__… for all four processes; makes the secrets that it names."""
    home, secrets = folder(settings), settings.home / "secrets"
    url = settings.airflow_url
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.root / "plugins"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__MAX_MAP_LENGTH": "10000",  # repositories in one restore or snapshot run
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": secret(secrets / "airflow-fernet-key", Fernet.generate_key().decode()),
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secrets / "airflow-passwords.json"),
        # seconds that a writer waits for the others (5)
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=30",
        "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False",  # `pivo up` migrates, and knows when
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(settings.ports.airflow_worker_log),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(settings.ports.airflow_trigger_log),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(settings.ports.airflow),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secret(secrets / "airflow-api-key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret(secrets / "airflow-jwt", _long()),
        "AIRFLOW__API_AUTH__JWT_ISSUER": "pivo",
        # a task may be started while the API server still comes up, or is being mended: half a minute of patience
        "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "12",
        "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        # the supervisor of a task that has ended sleeps for this long (5 s) before it notices
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # a task whose end nobody heard of, because scheduler and API server died with it, is tried again after this
        # many seconds (300)
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        **{
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in connections(settings).items()
        },
    }


def _long() -> str:
    """A key for HS512: at least 64 bytes."""
    import secrets

    return secrets.token_urlsafe(64)


def parts(settings: Settings, java: Find) -> list[Part]:
    """The four processes. The API server migrates the database in its preparation; the others wait for that."""
    scripts = Path(sys.executable).parent
    airflow = str(scripts / "airflow")

    def env() -> dict[str, str]:
        path = environment(settings).get("PATH", "")
        return {
            **spark.environment(settings, java),
            **configuration(settings),
            "PATH": f"{scripts}:{path}",  # spark-submit, for Airflow's operator
        }

    ask = probes.Health(settings)

    def part(name: str, title: str, *arguments: str, **more: object) -> Part:
        return Part(
            name=f"airflow-{name}",
            title=f"Airflow {title}",
            command=lambda: (airflow, *arguments),
            env=env,
            prepared=() if name == "api" else ("airflow-api",),
            patience=240.0,
            **more,  # type: ignore[arg-type]
        )

    return [
        part(
            "api",
            "API server",
            *("api-server", "--host", HOST, "--port", str(settings.ports.airflow)),
            ports={"airflow": settings.ports.airflow},
            prepare=partial(prepare, settings, airflow, env),
            probe=ask.api,
            url=settings.airflow_url,
        ),
        # the scheduler's tasks talk to everything
        part(
            "scheduler",
            *("scheduler", "scheduler", "--skip-serve-logs"),
            probe=ask.scheduler,
            uses=("kafka", "datanode", "spark-worker", "forge"),
            grace=20.0,
        ),
        part("dag-processor", "DAG processor", "dag-processor", probe=ask.dag_processor),
        part("triggerer", "triggerer", "triggerer", "--skip-serve-logs", probe=ask.triggerer, uses=("kafka",)),
    ]


def prepare(settings: Settings, airflow: str, env: Callable[[], dict[str, str]]) -> None:
    """Passwords, and the metadata database: created or migrated when Airflow's version is not the one it has."""
    home, secrets = folder(settings), settings.home / "secrets"
    (home / "logs").mkdir(parents=True, exist_ok=True)
    passwords = {name: secret(secrets / f"airflow-{name}") for name in USERS}
    write_config(secrets / "airflow-passwords.json", json.dumps(passwords) + "\n", mode=0o600)
    stamp, version = home / "migrated", importlib.metadata.version("apache-airflow-core")
    if stamp.is_file() and stamp.read_text() == version and (home / "airflow.db").is_file():
        return
    log = Folders(settings.home).log("airflow-migrate")
    with log.open("ab") as out:
        done = subprocess.run(
            (airflow, "db", "migrate"),
            env={**environment(settings), **env()},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
        )
    if done.returncode != 0:
        last = (tail(log, 1) or ["no output"])[-1]
        raise StackError(f"Airflow's database could not be made: {last}", f"Read {log}.")
    write_config(stamp, version)
