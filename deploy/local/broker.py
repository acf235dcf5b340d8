"""Apache Kafka: its jars, its storage, how a broker is started, and whether it answers."""

import base64
import hashlib
import io
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from deploy.local import tools
from deploy.local.home import CHECKOUT, TOOLS, locked
from deploy.local.layout import Layout
from deploy.local.processes import Process, table
from deploy.local.trouble import Trouble

POM = CHECKOUT / "deploy" / "local" / "kafka" / "pom.xml"
LIBS = TOOLS / "kafka-libs"
HEAP = ("-Xms256m", "-XX:+UseSerialGC")
QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
# A Metadata request (version 1) for no topics: the answer lists the brokers that this broker knows.
METADATA = struct.pack(">hhihi", 3, 1, 1, -1, 0)

PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=12
default.replication.factor={nodes}
min.insync.replicas={majority}
offsets.topic.replication.factor={nodes}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={nodes}
transaction.state.log.min.isr={majority}
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
"""
# The other brokers take over the partitions of a broker that is gone within seconds.
FAIL_OVER = """\
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
"""

FETCH_AGAIN_AFTER = (5.0, 20.0)
"""Seconds before the second and the third try: a repository that is away for a moment is no trouble."""


def fetch() -> None:
    """Fetch Kafka's jars, once for this checkout and version; Trouble if they cannot be had."""
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    with locked(TOOLS):
        if not _is_complete(wanted):
            _resolve()
            (LIBS / "complete").write_text(wanted)


def prepare(layout: Layout, process: Process) -> None:
    """Write a broker's settings and, the first time, format its storage."""
    settings(layout, process).write_text(properties(layout, process))
    if not (layout.home.data / process.name / "meta.properties").exists():
        _format(layout, process)


def properties(layout: Layout, process: Process) -> str:
    """The content of a broker's server.properties."""
    ports, topology = layout.ports.named(), layout.topology
    controllers = {node.node: ports[node.also[0]] for node in table(topology) if node.kind == "kafka"}
    written = PROPERTIES.format(
        node=process.node,
        nodes=topology.nodes,
        majority=topology.majority,
        voters=",".join(f"{node}@127.0.0.1:{port}" for node, port in controllers.items()),
        broker=ports[process.port],
        controller=controllers[process.node],
        data=layout.home.data / process.name,
    )
    return written + (FAIL_OVER if topology.nodes > 1 else "")


def command(layout: Layout, process: Process) -> tuple[str, ...]:
    """The command that runs a broker."""
    heap = (f"-Xmx{layout.topology.heap_mib}m", *HEAP)
    return (tools.java(), *heap, QUIET, "-cp", f"{LIBS}/*", "kafka.Kafka", str(settings(layout, process)))


def settings(layout: Layout, process: Process) -> Path:
    """A broker's server.properties."""
    return layout.home.run / f"{process.name}.properties"


def answers(addresses: str, seconds: float = 1) -> bool:
    """Whether one of the brokers in host:port[,…] serves requests."""
    return any(known(one.strip(), seconds) for one in addresses.split(","))


def known(address: str, seconds: float = 1) -> set[int]:
    """The ids of the brokers that the one at host:port knows; none if it does not serve requests."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), seconds) as connection, connection.makefile("rb") as answer:
            connection.sendall(struct.pack(">i", len(METADATA)) + METADATA)
            (size,) = struct.unpack(">i", answer.read(4))
            return set(_ids(io.BytesIO(answer.read(size)[4:])))
    except (OSError, ValueError, struct.error):
        return set()


def cluster_id(data: Path) -> str:
    """The cluster id with which another broker was formatted, or a random one in Kafka's form.

    A leading dash is avoided: the tool would take it for an option.
    """
    for formatted in data.glob("kafka*/meta.properties"):
        if found := re.search(r"^cluster\.id=(.+)$", formatted.read_text(), re.MULTILINE):
            return found[1]
    return "L" + base64.urlsafe_b64encode(os.urandom(16)).decode()[1:22]


def _ids(answer: BinaryIO) -> Iterator[int]:
    """The broker ids of a Metadata answer. Host, port and an optional rack follow each id."""
    (count,) = struct.unpack(">i", answer.read(4))
    for _ in range(count):
        node, host = struct.unpack(">ih", answer.read(6))
        answer.read(host)
        _, rack = struct.unpack(">ih", answer.read(6))
        answer.read(max(rack, 0))
        yield node


def _is_complete(wanted: str) -> bool:
    stamp = LIBS / "complete"
    return stamp.exists() and stamp.read_text() == wanted


def _resolve() -> None:
    fresh = LIBS.with_name(f"kafka-libs.{os.getpid()}")
    # -U: also what could not be had a moment ago.
    fetching = [tools.mvn(), "-q", "-B", "-U", "-f", str(POM), "dependency:copy-dependencies"]
    for pause in (*FETCH_AGAIN_AFTER, None):
        done = subprocess.run([*fetching, f"-DoutputDirectory={fresh}"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            shutil.rmtree(LIBS, ignore_errors=True)
            fresh.rename(LIBS)
            return
        shutil.rmtree(fresh, ignore_errors=True)
        if pause is not None:
            time.sleep(pause)
    lines = tuple(done.stdout.splitlines()[-5:])
    raise Trouble("Maven could not fetch Kafka: check that its repository can be reached, then repeat.", lines=lines)


def _format(layout: Layout, process: Process) -> None:
    tool = (tools.java(), QUIET, "-XX:TieredStopAtLevel=1", "-cp", f"{LIBS}/*", "kafka.tools.StorageTool", "format")
    formatting = [
        *tool,
        "-t",
        cluster_id(layout.home.data),
        "-c",
        str(settings(layout, process)),
        "--ignore-formatted",
    ]
    done = subprocess.run(formatting, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = tuple((done.stdout + done.stderr).splitlines()[-5:])
        raise Trouble(
            f"Kafka could not format {layout.home.data / process.name}: remove that folder, then repeat.", lines=lines
        )
