"""ZooKeeper 3.6.3 and a single Kafka 3.4.0 broker."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

from pivo.settings import Settings
from pivo.stack.java import Find, jvm
from pivo.stack.part import HOST, Folders, NotReady, Part, write_config

MESSAGE_LIMIT = 16 << 20
"""Bytes of the largest message that the broker takes."""

_LOGGING = """log4j.rootLogger=INFO,stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d{yyyy-MM-dd HH:mm:ss}] %-5p %c{1}: %m%n
log4j.logger.kafka.coordinator=WARN
log4j.logger.org.apache.zookeeper=WARN
"""


def zookeeper_properties(settings: Settings) -> dict[str, str]:
    """zoo.cfg."""
    return {
        "dataDir": str(Folders(settings.home).data / "zookeeper"),
        "clientPort": str(settings.ports.zookeeper),
        "clientPortAddress": HOST,
        "tickTime": "1000",
        "maxClientCnxns": "0",
        "admin.enableServer": "false",
        "4lw.commands.whitelist": "srvr",
        "autopurge.purgeInterval": "24",
    }


def kafka_properties(settings: Settings) -> dict[str, str]:
    """server.properties: one broker, so every internal topic has one replica."""
    return {
        "broker.id": "1",
        "listeners": f"PLAINTEXT://{HOST}:{settings.ports.kafka}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{settings.ports.kafka}",
        "zookeeper.connect": f"{HOST}:{settings.ports.zookeeper}",
        # a broker that was killed can come back once its session is over
        "zookeeper.session.timeout.ms": "6000",
        "log.dirs": str(Folders(settings.home).data / "kafka"),
        "auto.create.topics.enable": "false",
        "num.partitions": "3",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "5",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "5",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(MESSAGE_LIMIT),
        "replica.fetch.max.bytes": str(MESSAGE_LIMIT),
        "log.retention.ms": "-1",  # the history of the archive; it is small
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 << 20),
    }


def properties(values: dict[str, str]) -> str:
    """Java's properties format."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def parts(settings: Settings, java: Find) -> list[Part]:
    """ZooKeeper and Kafka."""
    folders = Folders(settings.home)
    conf = folders.conf / "kafka"
    classpath: list[Path | str] = [conf, f"{settings.jars}/kafka/*"]
    zoo, server = conf / "zoo.cfg", conf / "server.properties"

    def prepare() -> None:
        (folders.data / "zookeeper").mkdir(parents=True, exist_ok=True)
        write_config(zoo, properties(zookeeper_properties(settings)))
        write_config(server, properties(kafka_properties(settings)))
        write_config(conf / "log4j.properties", _LOGGING)

    return [
        Part(
            name="zookeeper",
            title="ZooKeeper",
            command=lambda: jvm(
                java,
                "128m",
                classpath,
                "org.apache.zookeeper.server.quorum.QuorumPeerMain",
                str(zoo),
                options=("-Dzookeeper.jmx.log4j.disable=true",),
            ),
            ports={"zookeeper": settings.ports.zookeeper},
            prepare=prepare,
            probe=partial(_zookeeper_serves, settings.ports.zookeeper),
            url=f"{HOST}:{settings.ports.zookeeper}",
        ),
        Part(
            name="kafka",
            title="Kafka",
            command=lambda: jvm(java, "384m", classpath, "kafka.Kafka", str(server)),
            ports={"kafka": settings.ports.kafka},
            after=("zookeeper",),
            probe=partial(_kafka_serves, settings),
            url=f"{HOST}:{settings.ports.kafka}",
            grace=20.0,
            attempts=4,
        ),
    ]


def _zookeeper_serves(port: int, since: float) -> None:
    try:
        with socket.create_connection((HOST, port), timeout=3) as zookeeper:
            zookeeper.sendall(b"srvr")
            answer = zookeeper.recv(4096)
    except OSError as err:
        raise NotReady(f"ZooKeeper does not answer: {err}") from err
    if b"Mode: standalone" not in answer:
        raise NotReady("ZooKeeper does not serve yet.")


def _kafka_serves(settings: Settings, since: float) -> None:
    """The cluster has a controller, and PIVO's topics have leaders."""
    # 50 ms, and not needed to stop a stack or look at its logs
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    from pivo.events import ensure_topics

    with socket.socket() as probe:  # librdkafka is loud and slow about a port that nobody listens on
        probe.settimeout(1)
        if probe.connect_ex((HOST, settings.ports.kafka)) != 0:
            raise NotReady("Kafka does not listen yet.")
    admin = AdminClient({"bootstrap.servers": settings.kafka["bootstrap.servers"], "log_level": 2})
    try:
        cluster = admin.describe_cluster(request_timeout=5).result()
    except KafkaException as err:
        raise NotReady(f"Kafka does not answer: {err}") from err
    if cluster.controller is None or not cluster.nodes:
        raise NotReady("Kafka has no controller yet.")
    ensure_topics(settings.kafka)
