"""Apache Kafka as one process: its jars, its storage, how it is started, and whether it answers."""

import base64
import hashlib
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path

from deploy.local import tools
from deploy.local.home import CHECKOUT, TOOLS, Home, locked
from deploy.local.ports import Ports
from deploy.local.trouble import Trouble

POM = CHECKOUT / "deploy" / "local" / "kafka" / "pom.xml"
LIBS = TOOLS / "kafka-libs"
HEAP = ("-Xmx512m", "-Xms256m", "-XX:+UseSerialGC")
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
# ApiVersions, version 0: the one request that every broker answers, only once it serves requests.
API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=12
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
"""


def fetch() -> None:
    """Fetch Kafka's jars, once for this checkout and version; Trouble if they cannot be had."""
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    with locked(TOOLS):
        if not _is_complete(wanted):
            _resolve()
            (LIBS / "complete").write_text(wanted)


def prepare(home: Home, ports: Ports) -> None:
    """Write the broker's settings and, the first time, format its storage."""
    data = home.data / "kafka"
    properties = PROPERTIES.format(broker=ports.kafka, controller=ports.kafka_controller, data=data)
    settings(home).write_text(properties)
    if not (data / "meta.properties").exists():
        _format(home)


def command(home: Home) -> tuple[str, ...]:
    """What runs the broker."""
    return (tools.java(), *HEAP, QUIET, "-cp", f"{LIBS}/*", "kafka.Kafka", str(settings(home)))


def settings(home: Home) -> Path:
    """The broker's server.properties."""
    return home.run / "kafka.properties"


def answers(address: str, seconds: float = 1) -> bool:
    """Whether one of the brokers in host:port[,…] serves requests, asked with an ApiVersions request."""
    return any(_answers(one.strip(), seconds) for one in address.split(","))


def _answers(address: str, seconds: float) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), seconds) as connection:
            connection.settimeout(seconds)
            connection.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            return len(connection.recv(10)) == 10
    except (OSError, ValueError):
        return False


def _is_complete(wanted: str) -> bool:
    stamp = LIBS / "complete"
    return stamp.exists() and stamp.read_text() == wanted


def _resolve() -> None:
    fresh = LIBS.with_name(f"kafka-libs.{os.getpid()}")
    fetching = [tools.mvn(), "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={fresh}"]
    done = subprocess.run(fetching, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        lines = tuple(done.stdout.splitlines()[-5:])
        raise Trouble(
            "Maven could not fetch Kafka: check that its repository can be reached, then repeat.", lines=lines
        )
    shutil.rmtree(LIBS, ignore_errors=True)
    fresh.rename(LIBS)


def _format(home: Home) -> None:
    tool = (tools.java(), QUIET, "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*", "kafka.tools.StorageTool", "format")
    formatting = [*tool, "-t", _cluster_id(), "-c", str(settings(home)), "--ignore-formatted"]
    done = subprocess.run(formatting, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = tuple((done.stdout + done.stderr).splitlines()[-5:])
        raise Trouble(f"Kafka could not format {home.data / 'kafka'}: remove that folder, then repeat.", lines=lines)


def _cluster_id() -> str:
    """A random id as Kafka writes it; the tool would take a leading dash for an option."""
    return "L" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22]
