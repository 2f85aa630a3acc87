"""Spark standalone: one master, one worker, both from the pyspark package."""

from __future__ import annotations

import importlib.util
import os
import sys
from functools import partial
from pathlib import Path

from pivo.errors import StackError
from pivo.settings import Settings
from pivo.stack.java import Find, home_for_spark
from pivo.stack.keys import secret
from pivo.stack.loopback import request
from pivo.stack.part import HOST, Folders, NotReady, Part, write_config

WORKER_MEMORY = "1200m"
"""What the worker gives to executors; a restore's executors ask for less (spark_jobs/)."""

_JVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.net.preferIPv4Stack=true"
"""For daemons, drivers and executors: they live shortly, and Python and the disk do the work."""

_LOGGING = """rootLogger.level = info
rootLogger.appenderRef.stdout.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{yyyy-MM-dd HH:mm:ss}] %p %c{1}: %m%n
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""


def spark_home() -> Path:
    """The pyspark package's folder."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise StackError("Spark is not installed here.", "Run `make setup`.")
    return Path(spec.origin).parent


def spark_class() -> str:
    """The script that runs one of Spark's own classes."""
    return str(spark_home() / "bin" / "spark-class")


def environment(settings: Settings, java: Find) -> dict[str, str]:
    """What Spark's daemons, drivers and executors need to find Java, this Python, `pivo`, and loopback."""
    folders = Folders(settings.home)
    return {
        "JAVA_HOME": str(home_for_spark(java(), folders.home / "java")),
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(folders.conf / "spark"),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_HOSTNAME": HOST,
        "SPARK_LOCAL_DIRS": str(folders.home / "spark" / "local"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": str(settings.root / "include"),
    }


def defaults(settings: Settings) -> dict[str, str]:
    """spark-defaults.conf: what every application on this stack starts from, but for the secret that lets it in."""
    return {
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executor.cores": "1",
        "spark.cores.max": "2",
        "spark.driver.extraJavaOptions": _JVM,
        "spark.executor.extraJavaOptions": _JVM,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.port.maxRetries": "32",
        "spark.executorEnv.PYTHONPATH": str(settings.root / "include"),
        "spark.hadoop.fs.defaultFS": f"hdfs://{HOST}:{settings.ports.namenode}",
        # master, worker, driver and executors talk only to who knows the same secret, and encrypted
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
    }


def parts(settings: Settings, java: Find) -> list[Part]:
    """Master and worker."""
    folders, ports = Folders(settings.home), settings.ports

    def env() -> dict[str, str]:
        return {
            **environment(settings, java),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": _JVM,
            # the REST server for submissions is on by default, on a port of its own; nothing here uses it
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
            # a restore leaves its application's folder (jars, logs) behind; an hour is enough to look at it
            "SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true -Dspark.worker.cleanup.appDataTtl=3600",
        }

    work = folders.home / "spark" / "work"
    ui = f"http://{HOST}:{ports.spark_master_ui}"

    def prepare() -> None:
        conf = folders.conf / "spark"
        # Spark takes its secret from its configuration only: not from a file's name, and an argument could be read
        known = {"spark.authenticate.secret": secret(folders.secrets / "spark")}
        rows = "".join(f"{name} {value}\n" for name, value in (defaults(settings) | known).items())
        write_config(conf / "spark-defaults.conf", rows, mode=0o600)
        write_config(conf / "log4j2.properties", _LOGGING)
        for folder in (work, folders.home / "spark" / "local"):
            folder.mkdir(parents=True, exist_ok=True)

    master = Part(
        name="spark-master",
        title="Spark master",
        command=lambda: (
            *(spark_class(), "org.apache.spark.deploy.master.Master"),
            *("--host", HOST, "--port", str(ports.spark_master), "--webui-port", str(ports.spark_master_ui)),
        ),
        env=env,
        ports={"spark_master_ui": ports.spark_master_ui, "spark_master": ports.spark_master},
        prepare=prepare,
        probe=partial(_master_answers, ui),
        url=ui,
    )
    worker = Part(
        name="spark-worker",
        title="Spark worker",
        command=lambda: (
            *(spark_class(), "org.apache.spark.deploy.worker.Worker"),
            *("--host", HOST, "--port", str(ports.spark_worker), "--webui-port", str(ports.spark_worker_ui)),
            *("--cores", str(max(2, os.cpu_count() or 2)), "--memory", WORKER_MEMORY, "--work-dir", str(work)),
            f"spark://{HOST}:{ports.spark_master}",
        ),
        env=env,
        ports={"spark_worker_ui": ports.spark_worker_ui, "spark_worker": ports.spark_worker},
        prepared=("spark-master",),
        probe=partial(_worker_alive, ui, ports.spark_worker),
        url=f"http://{HOST}:{ports.spark_worker_ui}",
    )
    return [master, worker]


def _state(ui: str) -> dict[str, object]:
    answer = request("The Spark master", "GET", f"{ui}/json/")
    try:
        return dict(answer.json())
    except ValueError as err:  # the page while it starts
        raise NotReady("The Spark master does not answer in JSON yet.") from err


def _master_answers(ui: str, since: float) -> None:
    if _state(ui).get("status") != "ALIVE":
        raise NotReady("The Spark master is not in charge yet.")


def _worker_alive(ui: str, port: int, since: float) -> None:
    workers = _state(ui).get("workers")
    if not isinstance(workers, list) or not any(
        worker.get("state") == "ALIVE" and worker.get("port") == port for worker in workers
    ):
        raise NotReady("The Spark master has no worker yet.")
