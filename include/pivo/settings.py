"""The one place that reads the environment.

Every setting has one name, `PIVO_…`, and one default: the embedded stack on loopback. A deployment sets them in
docker-compose.yaml; inside Airflow, `pivo.hooks` lays the values of its Connections over them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from pivo.errors import UsageError
from pivo.gitaccess import GitAccess
from pivo.masking import learn

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds dags/, plugins/, spark_jobs/ and include/, where PIVO runs from a checkout."""


def default_root() -> Path:
    """The checkout, or, of an installed package, the folder that its dags/ and the others were installed to."""
    return CHECKOUT if (CHECKOUT / "dags").is_dir() else Path(sys.prefix) / "share" / "pivo"


@dataclass(frozen=True)
class Ports:
    """Loopback ports of the embedded stack: `PIVO_PORT_<NAME>` sets one, `PIVO_PORT_OFFSET` moves all others."""

    airflow: int = 8080
    airflow_worker_log: int = 8793
    airflow_trigger_log: int = 8794
    namenode: int = 8020
    namenode_http: int = 9870
    datanode: int = 9866
    datanode_http: int = 9864
    datanode_ipc: int = 9867
    zookeeper: int = 2181
    kafka: int = 9092
    spark_master: int = 7077
    spark_master_ui: int = 8081
    spark_worker: int = 7078
    spark_worker_ui: int = 8082
    forge: int = 3000

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Ports:
        offset = _int(env, "PIVO_PORT_OFFSET", 0)
        values = {f.name: _int(env, f"PIVO_PORT_{f.name.upper()}", int(f.default) + offset) for f in fields(cls)}  # type: ignore[arg-type]
        for name, port in values.items():
            if not 0 < port < 65536:
                raise UsageError(f"Port {port} for {name} is out of range.", "Use 1 to 65535.")
        return cls(**values)


@dataclass(frozen=True)
class ForgeAccess:
    """A forge's REST API (`https://api.github.com` or a GitHub Enterprise base URL) and the token for it."""

    api_url: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class GeminiAccess:
    """The model, and the key for it; without a key, or Vertex, the offline brain answers.

    `vertex`: through Google Cloud, whose project, region and login the SDK finds itself (GOOGLE_CLOUD_PROJECT, …).
    """

    api_key: str = field(default="", repr=False)
    model: str = "gemini-3.8-flash"
    base_url: str | None = None
    timeout: float = 60.0  # seconds for one call
    vertex: bool = False

    @property
    def enabled(self) -> bool:
        """Whether there is a Gemini to ask."""
        return bool(self.api_key) or self.vertex


_VERTEX = ("GOOGLE_GENAI_USE_ENTERPRISE", "GOOGLE_GENAI_USE_VERTEXAI")  # the SDK's own names, new and old


@dataclass(frozen=True)
class Settings:
    """All that PIVO has to be told. Paths are absolute; URLs have no trailing slash."""

    root: Path
    home: Path
    jars: Path
    ports: Ports
    archive: str  # webhdfs://host:port/backups, or file:///…
    archive_writer: str  # HDFS user that publishes
    archive_reader: str  # HDFS user that everything else reads as
    archive_keeper: str  # HDFS user that owns the archive's folder and takes HDFS snapshots of it
    kafka: Mapping[str, str] = field(repr=False)  # librdkafka settings, at least bootstrap.servers
    index: Path
    staging: Path
    spark_master: str
    airflow_url: str
    airflow_user: str
    airflow_password: str = field(repr=False)
    forge: ForgeAccess = field(repr=False)
    gemini: GeminiAccess = field(repr=False)
    repositories: Path  # the registered repositories, a YAML file
    policy: Path  # who may confirm and restore what, a YAML file
    trace_log: Path  # the log of what the agent set in motion
    user: str  # who acts when there is no Airflow user: the operating system's name
    memory_check: bool = True
    restore_roots: tuple[Path, ...] = ()  # the folders that a restore to a path must stay below; none: nowhere
    push_limit: int = 1 << 30  # bytes in one push; forges refuse 2 GiB, and a pack cut anew may grow
    archive_superuser: str = "hdfs"  # HDFS user that `pivo init` makes the archive's folder as
    file_limit: int = 100 << 20  # bytes of one file on the configured forge; 0: any size
    git: GitAccess = field(default_factory=GitAccess)  # logins, key and known hosts for git besides the forge
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)  # any of them signs a delivery; none: it is off
    webhook_wait: int = 5  # seconds that a run waits for more pushes of its repository

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None) -> Settings:
        """The settings from `env` (the process environment by default); UsageError for one that cannot be read."""
        env = os.environ if env is None else env
        root = Path(env.get("PIVO_ROOT", str(default_root()))).resolve()
        installed = root == (Path(sys.prefix) / "share" / "pivo").resolve()
        home = Path(env.get("PIVO_HOME", "~/.pivo" if installed else str(root / ".pivo"))).expanduser().resolve()
        ports = Ports.load(env)
        host = "127.0.0.1"
        return cls(
            root=root,
            home=home,
            jars=Path(env.get("PIVO_JARS", str(Path(sys.prefix) / "share" / "pivo" / "jars"))),
            ports=ports,
            archive=env.get("PIVO_ARCHIVE", f"webhdfs://{host}:{ports.namenode_http}/backups").rstrip("/"),
            archive_writer=env.get("PIVO_ARCHIVE_WRITER", "pivo"),
            archive_reader=env.get("PIVO_ARCHIVE_READER", "pivo-reader"),
            archive_keeper=env.get("PIVO_ARCHIVE_KEEPER", "pivo-keeper"),
            kafka=_kafka(env, home, f"{host}:{ports.kafka}"),
            index=Path(env.get("PIVO_INDEX", str(home / "index" / "pivo.db"))),
            staging=Path(env.get("PIVO_STAGING", str(home / "staging"))),
            spark_master=env.get("PIVO_SPARK_MASTER", f"spark://{host}:{ports.spark_master}"),
            airflow_url=env.get("PIVO_AIRFLOW_URL", f"http://{host}:{ports.airflow}").rstrip("/"),
            airflow_user=env.get("PIVO_AIRFLOW_USER", "admin"),
            airflow_password=_secret(env, "PIVO_AIRFLOW_PASSWORD", home / "secrets" / "airflow-admin"),
            forge=ForgeAccess(
                env.get("PIVO_FORGE_URL", f"http://{host}:{ports.forge}/api/v3").rstrip("/"),
                _secret(env, "PIVO_FORGE_TOKEN", home / "secrets" / "forge-token"),
            ),
            gemini=GeminiAccess(
                api_key=_secret(env, "GEMINI_API_KEY", home / "secrets" / "gemini-key"),
                model=env.get("PIVO_GEMINI_MODEL", GeminiAccess.model),
                base_url=env.get("PIVO_GEMINI_URL") or None,
                vertex=any(env.get(name, "").lower() in {"1", "true"} for name in _VERTEX),
            ),
            repositories=Path(
                env.get("PIVO_REPOSITORIES", str((home if installed else root / "include") / "repositories.yaml"))
            ),
            policy=Path(env.get("PIVO_POLICY", str(root / "include" / "policy.yaml"))),
            trace_log=Path(env.get("PIVO_TRACE_LOG", str(home / "logs" / "pivo.log"))),
            user=env.get("PIVO_USER") or env.get("USER") or env.get("LOGNAME") or "unknown",
            memory_check=env.get("PIVO_MEMORY_CHECK", "1") != "0",
            restore_roots=_folders(env.get("PIVO_RESTORE_ROOTS"), home),
            push_limit=_int(env, "PIVO_PUSH_LIMIT", Settings.push_limit),
            archive_superuser=env.get("PIVO_HDFS_SUPERUSER", Settings.archive_superuser),
            file_limit=_int(env, "PIVO_FILE_LIMIT", Settings.file_limit),
            git=GitAccess(
                credentials=_file(env, "PIVO_GIT_CREDENTIALS_FILE", home / "secrets" / "git-credentials"),
                ssh_key=_file(env, "PIVO_SSH_KEY_FILE", home / "secrets" / "ssh-key"),
                ssh_passphrase=_file(env, "PIVO_SSH_PASSPHRASE_FILE", home / "secrets" / "ssh-passphrase"),
                known_hosts=_file(env, "PIVO_SSH_KNOWN_HOSTS_FILE", home / "secrets" / "ssh-known-hosts"),
                scratch=home / "run",
            ),
            webhook_secrets=lines(_secret(env, "PIVO_WEBHOOK_SECRET", home / "secrets" / "webhook-secret")),
            webhook_wait=_int(env, "PIVO_WEBHOOK_WAIT", Settings.webhook_wait),
        )


def _int(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if text is None or text == "":
        return default
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{name}={text!r} is not a number.", "Set it to a whole number, or unset it.") from None


def _folders(text: str | None, home: Path) -> tuple[Path, ...]:
    """Absolute folders, parted by `:`. Not told: the home folder, and the system's folder for temporary files, where
    everyone on the machine may write anyhow."""
    if text is None:
        return (home, Path(tempfile.gettempdir()).resolve())
    paths = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    if wrong := [p for p in paths if not p.is_absolute()]:
        raise UsageError(f"PIVO_RESTORE_ROOTS names {wrong[0]}, which is not absolute.", "Write whole paths.")
    return tuple(p.resolve() for p in paths)


def lines(text: str) -> tuple[str, ...]:
    """The secrets of a text that may hold several, one a line; blanks within one are its own."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _secret(env: Mapping[str, str], name: str, default_file: Path) -> str:
    """`NAME`, else the content of the file that `NAME_FILE` names, else of `default_file`; empty if none."""
    told = env.get(name) or _content(_file(env, f"{name}_FILE", default_file)).strip()
    learn(*told.split())
    return told


def _file(env: Mapping[str, str], name: str, default: Path) -> Path:
    return Path(env.get(name) or default)


def _content(path: Path) -> str:
    """A secret file's text; empty if there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as err:
        why = err.strerror if isinstance(err, OSError) else "it is no text"
        raise UsageError(f"The secret file {path} cannot be read: {why}.", "Mend its owner and permissions.") from None


def _kafka(env: Mapping[str, str], home: Path, default: str) -> dict[str, str]:
    """librdkafka's settings: where, and what the file `PIVO_KAFKA_CONFIG_FILE` says besides (`name=value` lines)."""
    path = _file(env, "PIVO_KAFKA_CONFIG_FILE", home / "secrets" / "kafka.properties")
    told: dict[str, str] = {}
    for row in _content(path).splitlines():
        name, is_one, value = row.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not is_one:
            raise UsageError(f"{path} has a line that is no name=value.", "Write librdkafka's settings, one a line.")
        told[name.strip()] = value.strip()
    learn_kafka(told)
    return {"bootstrap.servers": env.get("PIVO_KAFKA") or told.get("bootstrap.servers", default)} | {
        name: value for name, value in told.items() if name != "bootstrap.servers"
    }


def learn_kafka(kafka: Mapping[str, str]) -> None:
    """Keeps what is secret in librdkafka's settings out of errors and logs."""
    learn(
        *(value for name, value in kafka.items() if name.endswith(("password", "secret", ".pem", "oauthbearer.config")))
    )


def base_environment() -> dict[str, str]:
    """A copy of this process's environment, for the children that it starts."""
    return dict(os.environ)


def with_loopback(no_proxy: str) -> str:
    """A NO_PROXY list with this machine in it."""
    hosts = [h.strip() for h in no_proxy.split(",") if h.strip()]
    return ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost", "::1"]))


def keep_loopback_direct() -> None:
    """Keeps this process and its children from sending what is meant for this machine through a proxy."""
    told = with_loopback(os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = told
