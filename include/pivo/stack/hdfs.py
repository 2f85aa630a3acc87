"""HDFS: one NameNode, one DataNode, permissions on.

`/backups` belongs to the keeper, who takes HDFS snapshots of it; an ACL lets the writer add to it; all others read.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

import requests
from hdfs import InsecureClient
from hdfs.util import HdfsError

from pivo.errors import StackError
from pivo.settings import Settings, base_environment
from pivo.stack.java import Find, jvm
from pivo.stack.part import HOST, Folders, NotReady, Part, write_config
from pivo.stack.process import tail

ARCHIVE = "/backups"
"""The archive's folder in HDFS."""

_LOGGING = """log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.out
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=[%d{yyyy-MM-dd HH:mm:ss}] %-5p %c{1}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
log4j.logger.BlockStateChange=WARN
"""

_WEB_XML = '<web-app xmlns="http://java.sun.com/xml/ns/javaee" version="2.5"></web-app>\n'


def superuser() -> str:
    """The name that HDFS gives its superuser: the operating system's for whoever starts it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid{os.getuid()}"


def configuration(settings: Settings) -> dict[str, dict[str, str]]:
    """core-site and hdfs-site; everything listens on loopback."""
    ports, data = settings.ports, Folders(settings.home).data / "hdfs"
    return {
        "core-site.xml": {
            "fs.defaultFS": f"hdfs://{HOST}:{ports.namenode}",
            "hadoop.tmp.dir": str(data / "tmp"),
            "hadoop.http.staticuser.user": settings.archive_reader,
            # nobody, the superuser included, deletes it while there is anything in it
            "fs.protected.directories": ARCHIVE,
        },
        "hdfs-site.xml": {
            "dfs.replication": "1",
            "dfs.permissions.enabled": "true",
            "dfs.permissions.superusergroup": superuser(),
            "dfs.webhdfs.enabled": "true",
            "dfs.namenode.name.dir": f"file://{data}/name",
            "dfs.namenode.rpc-address": f"{HOST}:{ports.namenode}",
            "dfs.namenode.http-address": f"{HOST}:{ports.namenode_http}",
            "dfs.namenode.rpc-bind-host": HOST,
            "dfs.namenode.http-bind-host": HOST,
            "dfs.namenode.handler.count": "8",
            # one DataNode: nothing more to wait for once its blocks are reported
            "dfs.namenode.safemode.extension": "0",
            "dfs.datanode.data.dir": f"file://{data}/data",
            "dfs.datanode.hostname": HOST,
            "dfs.datanode.address": f"{HOST}:{ports.datanode}",
            "dfs.datanode.http.address": f"{HOST}:{ports.datanode_http}",
            "dfs.datanode.ipc.address": f"{HOST}:{ports.datanode_ipc}",
            "dfs.datanode.use.datanode.hostname": "false",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.heartbeat.interval": "1",
            # the only copy: a pipeline of one cannot be mended, only tried again
            "dfs.client.block.write.replace-datanode-on-failure.enable": "false",
            # A file is closed when the NameNode has heard of its last block; by default a writer that asks a moment too
            # early waits 400 ms, which for a small file is nearly all of its time. The tries still last 40 s.
            "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "10",
            "dfs.client.block.write.locateFollowingBlock.retries": "12",
        },
    }


def site_xml(values: dict[str, str]) -> str:
    """Hadoop's configuration format."""
    rows = "".join(
        f"  <property><name>{escape(name)}</name><value>{escape(value)}</value></property>\n"
        for name, value in values.items()
    )
    return f'<?xml version="1.0"?>\n<configuration>\n{rows}</configuration>\n'


def write_configuration(settings: Settings, conf: Path) -> None:
    """All that the two servers read from their classpath."""
    for name, values in configuration(settings).items():
        write_config(conf / name, site_xml(values))
    write_config(conf / "log4j.properties", _LOGGING)
    for server in ("hdfs", "datanode"):  # the jar has no web pages; an empty application does for WebHDFS
        write_config(conf / "webapps" / server / "WEB-INF" / "web.xml", _WEB_XML)


def parts(settings: Settings, java: Find) -> list[Part]:
    """NameNode and DataNode."""
    folders = Folders(settings.home)
    conf = folders.conf / "hdfs"
    classpath: list[Path | str] = [conf, f"{settings.jars}/hdfs/*"]
    ports = settings.ports
    env = {"HADOOP_USER_NAME": superuser()}

    def command(memory: str, main: str) -> Callable[[], tuple[str, ...]]:
        return lambda: jvm(java, memory, classpath, f"org.apache.hadoop.hdfs.server.{main}")

    namenode = command("512m", "namenode.NameNode")
    return [
        Part(
            name="namenode",
            title="HDFS NameNode",
            command=namenode,
            env=lambda: env,
            ports={"namenode_http": ports.namenode_http, "namenode": ports.namenode},
            prepare=partial(_prepare, settings, conf, namenode, env),
            probe=partial(_namenode_answers, settings),
            url=f"http://{HOST}:{ports.namenode_http}",
        ),
        Part(
            name="datanode",
            title="HDFS DataNode",
            command=command("384m", "datanode.DataNode"),
            env=lambda: env,
            ports={
                "datanode_http": ports.datanode_http,
                "datanode": ports.datanode,
                "datanode_ipc": ports.datanode_ipc,
            },
            after=("namenode",),
            probe=partial(_stores_and_returns, settings),
            url=f"http://{HOST}:{ports.datanode_http}",
        ),
    ]


def _prepare(settings: Settings, conf: Path, command: Callable[[], tuple[str, ...]], env: dict[str, str]) -> None:
    """Writes the configuration, and formats the NameNode the first time."""
    write_configuration(settings, conf)
    name = Folders(settings.home).data / "hdfs" / "name"
    if any(name.glob("current/fsimage_*[0-9]")):
        return
    # a format that was cut short has no image yet, hence nothing to lose
    shutil.rmtree(name, ignore_errors=True)
    log = Folders(settings.home).log("namenode")
    with log.open("ab") as out:
        done = subprocess.run(
            (*command(), "-format", "-nonInteractive"),
            env={**base_environment(), **env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        last = (tail(log, 1) or ["no output"])[-1]
        raise StackError(f"HDFS could not be formatted: {last}", f"Read {log}.")


def client(settings: Settings, user: str, timeout: float = 10.0) -> InsecureClient:
    """hdfscli's client, as `user`; never through a proxy."""
    session = requests.Session()
    session.trust_env = False
    url = f"http://{HOST}:{settings.ports.namenode_http}"
    return InsecureClient(url, user=user, timeout=timeout, session=session)


def _namenode_answers(settings: Settings, since: float) -> None:
    try:
        client(settings, superuser(), 3).status("/")
    except (requests.RequestException, HdfsError) as err:
        raise NotReady(f"WebHDFS does not answer: {err}") from err


def _stores_and_returns(settings: Settings, since: float) -> None:
    """Writes a probe through the DataNode and reads it back; then makes the archive's folders."""
    hdfs, probe = client(settings, superuser()), f"/tmp/.pivo-probe-{os.getpid()}"
    content = os.urandom(64)
    try:
        hdfs.write(probe, content, overwrite=True)
        with hdfs.read(probe) as reader:
            if reader.read() != content:
                raise NotReady("HDFS returned something else than what was written.")
        hdfs.delete(probe)
        make_archive(settings, hdfs)
    except (requests.RequestException, HdfsError) as err:
        said = (str(err).splitlines() or [""])[0]  # Java's stack follows
        raise NotReady(f"HDFS does not store: {said}") from err


def make_archive(settings: Settings, hdfs: InsecureClient, archive: str = ARCHIVE) -> None:
    """The folder `archive`, kept by the keeper and added to by the writer, and the writer's `.incoming` in it.

    `hdfs` is the superuser's client: only it may give folders away and allow HDFS snapshots of one.
    """
    keeper, writer = settings.archive_keeper, settings.archive_writer
    for path, owner in ((archive, keeper), (f"{archive}/.incoming", writer)):
        status = hdfs.status(path, strict=False)
        if status is None:
            hdfs.makedirs(path, permission="755")
        if status is None or status["owner"] != owner:
            hdfs.set_owner(path, owner=owner, group=owner)
    # Whoever owns the folder may delete its HDFS snapshots: not the one who can delete the files.
    hdfs.set_acl(archive, f"user:{writer}:rwx", clear=False)
    hdfs.allow_snapshot(archive)
