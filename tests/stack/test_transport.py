"""What travels between the parts: who does not know the secret, or is not who it says, is not let in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from pivo.settings import Settings
from pivo.stack import spark
from pivo.stack.java import find

pytestmark = pytest.mark.stack

_REFUSED = "Failed to connect to master"


def refused(stack: Settings, folder: Path, rows: Sequence[str]) -> str:
    """What a Spark driver with this configuration says until the master has refused it."""
    folder.mkdir()
    (folder / "spark-defaults.conf").write_text("\n".join(rows) + "\n")
    name = f"stranger-{os.getpid()}-{folder.name}"
    (folder / "job.py").write_text(
        f"from pyspark import SparkConf, SparkContext\nSparkContext(conf=SparkConf().setAppName({name!r}))\n"
    )
    submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", stack.spark_master, str(folder / "job.py")]
    env = {**os.environ, **spark.environment(stack, find), "SPARK_CONF_DIR": str(folder)}
    said, end = folder / "said", time.monotonic() + 90
    with said.open("wb") as out:
        driver = subprocess.Popen(submit, env=env, stdout=out, stderr=out, start_new_session=True)
    try:
        while _REFUSED not in said.read_text(errors="replace"):
            assert driver.poll() is None and time.monotonic() < end, said.read_text(errors="replace")[-3000:]
            time.sleep(0.2)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait(20)
    state = httpx.get(f"http://127.0.0.1:{stack.ports.spark_master_ui}/json/", timeout=20).json()
    assert name not in {app["name"] for app in (*state["activeapps"], *state["completedapps"])}
    return said.read_text(errors="replace")


def test_spark_lets_nobody_in_who_does_not_know_its_secret(stack: Settings, tmp_path: Path) -> None:
    conf = stack.home / "conf" / "spark" / "spark-defaults.conf"
    assert conf.stat().st_mode & 0o77 == 0
    rows = conf.read_text().splitlines()
    refused(stack, tmp_path / "without", [r for r in rows if not r.startswith(("spark.authenticate", "spark.network"))])
    secret = "spark.authenticate.secret"
    told = refused(stack, tmp_path / "wrong", [f"{secret} another" if r.startswith(secret) else r for r in rows])
    assert (stack.home / "secrets" / "spark").read_text().strip() not in told
