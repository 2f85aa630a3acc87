"""What a part of the stack is: data that the supervisor works from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pivo.errors import PivoError, StackError
from pivo.settings import Settings, base_environment, with_loopback

HOST = "127.0.0.1"
PART_VARIABLE = "PIVO_STACK_PART"
"""Every process of the stack carries its part's name in this variable, and the home folder in PIVO_HOME."""


class NotReady(PivoError):
    """A part does not answer yet; the probe is asked again."""


def nothing() -> None:
    """The preparation or probe of a part that needs none."""


@dataclass(frozen=True)
class Part:
    """One supervised process.

    `command` and `env` (laid over the shared environment) are asked for when the process is started, not before:
    to look at a stack or stop it takes neither a Java nor a secret. `prepare` writes configuration and makes data
    folders; it runs before each start and must be repeatable. `probe(since)` asks the running part something real
    and raises while the answer is not there; `since` is the Unix time at which the process started, so that what
    an earlier process left behind is not taken for an answer.
    """

    name: str
    title: str
    command: Callable[[], tuple[str, ...]]
    env: Callable[[], Mapping[str, str]] = dict
    ports: Mapping[str, int] = field(default_factory=dict)  # by the name of the setting, the main one first
    after: tuple[str, ...] = ()  # parts that must be ready before this one is started
    prepared: tuple[str, ...] = ()  # parts whose preparation must be done before this one is started
    uses: tuple[str, ...] = ()  # parts that it talks to as it works: they are stopped after it
    prepare: Callable[[], None] = nothing
    probe: Callable[[float], None] = lambda since: None
    url: str = ""
    patience: float = 120.0  # seconds from start to ready
    grace: float = 10.0  # seconds from TERM to KILL
    attempts: int = 2  # starts, when it exits before it is ready


@dataclass(frozen=True)
class Folders:
    """Where a stack keeps its things, all below the home folder."""

    home: Path

    @property
    def run(self) -> Path:
        """Process records and the lock."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def conf(self) -> Path:
        """Configuration as rendered at the last start."""
        return self.home / "conf"

    @property
    def data(self) -> Path:
        """What HDFS, ZooKeeper, Kafka and Airflow store."""
        return self.home / "data"

    @property
    def secrets(self) -> Path:
        """Generated passwords and keys, one a file, readable by the owner only."""
        return self.home / "secrets"

    def log(self, part: str) -> Path:
        return self.logs / f"{part}.log"

    def make(self, *more: Path) -> None:
        """Makes the folders; StackError when the home cannot be written."""
        try:
            for path in (self.home, self.run, self.logs, self.conf, self.data, *more):
                path.mkdir(parents=True, exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            self.secrets.chmod(0o700)
        except OSError as err:
            raise StackError(
                f"The home folder {self.home} cannot be written ({err.strerror}).",
                "Set PIVO_HOME to a folder of yours, or mend its permissions.",
            ) from err


def environment(settings: Settings) -> dict[str, str]:
    """The environment that all parts share: this process's, with every setting of the stack spelled out."""
    env = base_environment()
    ports = {f"PIVO_PORT_{name.upper()}": str(port) for name, port in vars(settings.ports).items()}
    env.update(ports)
    env.update(
        PIVO_HOME=str(settings.home),
        PIVO_ROOT=str(settings.root),
        PIVO_JARS=str(settings.jars),
        PIVO_ARCHIVE=settings.archive,
        PIVO_ARCHIVE_WRITER=settings.archive_writer,
        PIVO_ARCHIVE_KEEPER=settings.archive_keeper,
        PIVO_ARCHIVE_READER=settings.archive_reader,
        PIVO_KAFKA=settings.kafka["bootstrap.servers"],
        PIVO_INDEX=str(settings.index),
        PIVO_STAGING=str(settings.staging),
        PIVO_SPARK_MASTER=settings.spark_master,
        PIVO_AIRFLOW_URL=settings.airflow_url,
        PIVO_FORGE_URL=settings.forge.api_url,
        PIVO_REPOSITORIES=str(settings.repositories),
        PIVO_POLICY=str(settings.policy),
        PIVO_TRACE_LOG=str(settings.trace_log),
        PYTHONPATH=str(settings.root / "include"),
        PYTHONUNBUFFERED="1",
        NO_PROXY=with_loopback(env.get("NO_PROXY") or env.get("no_proxy") or ""),
        # setproctitle would write its title over the environment that `pivo down` looks for orphans in
        SPT_NOENV="1",
    )
    env["no_proxy"] = env["NO_PROXY"]
    return env


def write_config(path: Path, text: str, mode: int = 0o644) -> None:
    """Writes a configuration file when its content differs, whole or not at all."""
    if path.is_file() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as out:
        out.write(text)
        os.fchmod(handle, mode)
    Path(fresh).replace(path)
