"""MongoDB as one replica set per service: how its nodes are started, made a set, and addressed."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.local import tools

# A 2xx is on a majority and journaled; reads see nothing that can be rolled back. Times are in milliseconds.
OPTIONS = {
    "w": "majority",
    "journal": "true",
    "wtimeoutMS": "5000",
    "retryWrites": "true",
    "readConcernLevel": "majority",
    "serverSelectionTimeoutMS": "5000",
    "connectTimeoutMS": "3000",
    "socketTimeoutMS": "10000",
}
# If the primary is gone or has no majority, another one is elected within seconds.
SETTINGS = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500, "heartbeatTimeoutSecs": 2}
# A node that stops does not wait 15 s for its clients. A node whose sync source hangs chooses another after 3 s.
PARAMETERS = {
    "diagnosticDataCollectionEnabled": "false",
    "shutdownTimeoutMillisForSignaledShutdown": "1000",
    "oplogNetworkTimeoutBufferSeconds": "2",
    # What was dropped keeps its files open for as long as somebody may read the past: nobody here does, for minutes.
    "minSnapshotHistoryWindowInSeconds": "5",
}
# By default a node reserves memory for 33,000 storage sessions, zeroed and therefore resident: 37 MiB. A node that runs
# out of sessions would end. So there are twice as many sessions as connections; each connection needs about one.
CONNECTIONS = 1_000
SESSIONS = 2 * CONNECTIONS
NOT_YET_INITIALIZED = 94
SET_UP_SECONDS = 2


def uri(service: str, addresses: Sequence[str]) -> str:
    """The URI of a service's own database, on the replica set of the nodes at these addresses."""
    options = {"replicaSet": replica_set(service), **OPTIONS}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"mongodb://{','.join(addresses)}/linli_{service}?{query}"


def command(service: str, data: Path, port: int, cache_mib: int) -> tuple[str, ...]:
    """The command that runs one node of a service's database, with its data in this folder."""
    data.mkdir(mode=0o700, exist_ok=True)
    where = ("--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket")
    # A file that was not used for a minute is closed: each index is one, and a process may have a limited number open.
    engine = f"cache_size={cache_mib}M,session_max={SESSIONS},file_manager=(close_idle_time=60)"
    size = ("--wiredTigerEngineConfigString", engine, "--maxConns", str(CONNECTIONS), "--oplogSize", "512")
    parameters = (word for name, value in PARAMETERS.items() for word in ("--setParameter", f"{name}={value}"))
    return (tools.mongod(), "--replSet", replica_set(service), *where, *size, "--quiet", *parameters)


def role(address: str, seconds: float = 2) -> str:
    """primary or secondary, for a node whose set has a primary; "" for any other node.

    Waits at most this many seconds.
    """
    try:
        with _direct(address, seconds) as client:
            hello = client.admin.command("hello")
    except PyMongoError:
        return ""
    if hello.get("isWritablePrimary"):
        return "primary"
    return "secondary" if hello.get("secondary") and hello.get("primary") else ""


def set_up(service: str, addresses: Sequence[str]) -> None:
    """Initiate a replica set that does not exist yet, and update one whose ports changed.

    Does nothing if that is not possible yet.
    """
    with contextlib.suppress(PyMongoError), _direct(addresses[0], SET_UP_SECONDS) as client:
        _configure(client, service, addresses)


def answers(address: str, seconds: float = 1) -> bool:
    """Whether the database of this URI has a primary that answers."""
    try:
        with _client(address, seconds) as client:
            return bool(client.admin.command("ping")["ok"])
    except PyMongoError:
        return False


def hosts(address: str) -> str:
    """host:port[,…] of a URI, without its user and password."""
    return ",".join(f"{host}:{port}" for host, port in parse_uri(address, validate=False)["nodelist"])


def replica_set(service: str) -> str:
    """The name of a service's replica set."""
    return f"linli-{service}"


def _configure(client: MongoClient[Any], service: str, addresses: Sequence[str]) -> None:
    """Initiate a new set. If the data of a set was created with other ports, give its nodes their present addresses."""
    members = [{"_id": place, "host": address} for place, address in enumerate(addresses)]
    wanted = {"_id": replica_set(service), "members": members, "settings": SETTINGS}
    try:
        known = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", wanted)
        return
    if _moved(known, addresses):
        moved = [{**member, "host": host} for member, host in zip(known["members"], addresses, strict=True)]
        client.admin.command("replSetReconfig", {**known, "members": moved}, force=True)


def _moved(known: Mapping[str, Any], addresses: Sequence[str]) -> bool:
    return [member["host"] for member in known["members"]] != list(addresses)


def _direct(address: str, seconds: float) -> MongoClient[Any]:
    return MongoClient(f"mongodb://{address}", directConnection=True, timeoutMS=int(seconds * 1000))


def _client(address: str, seconds: float) -> MongoClient[Any]:
    wait = int(seconds * 1000)
    return MongoClient(
        address, serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, socketTimeoutMS=wait, maxPoolSize=2
    )
