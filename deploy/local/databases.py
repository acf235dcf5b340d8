"""MongoDB as one replica set of one node per service: how it is started, made primary, and addressed."""

import contextlib
from collections.abc import Mapping
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.local import tools
from deploy.local.home import Home
from deploy.local.ports import Ports

# A 2xx is on a majority and in its journal; a read sees nothing that could be rolled back. Times in milliseconds.
OPTIONS = {
    "w": "majority",
    "journal": "true",
    "wtimeoutMS": "5000",
    "retryWrites": "true",
    "readConcernLevel": "majority",
    "serverSelectionTimeoutMS": "5000",
    "connectTimeoutMS": "3000",
    "socketTimeoutMS": "10000",
    "maxPoolSize": "100",
}
NOT_YET_INITIALIZED = 94
SET_UP_SECONDS = 2


def uri(service: str, ports: Ports, database: str | None = None) -> str:
    """The URI of a service's own database, or of another database on the same replica set."""
    options = {"replicaSet": replica_set(service), **OPTIONS}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"mongodb://{_address(service, ports)}/{database or f'linli_{service}'}?{query}"


def command(service: str, home: Home, ports: Ports) -> tuple[str, ...]:
    """What runs the database of a service."""
    data = home.data / f"mongo-{service}"
    data.mkdir(mode=0o700, exist_ok=True)
    port = ports.named()[f"mongo_{service}"]
    where = ("--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket")
    size = ("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "512")
    quiet = ("--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false")
    return (tools.mongod(), "--replSet", replica_set(service), *where, *size, *quiet)


def is_primary(service: str, ports: Ports, seconds: float = 2) -> bool:
    """Whether the replica set of a service has its primary; only asked, for at most so many seconds."""
    try:
        with _direct(_address(service, ports), seconds) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def set_up(service: str, ports: Ports) -> None:
    """Initiate a replica set that does not exist yet, move one whose port changed; one that cannot be yet is left."""
    with contextlib.suppress(PyMongoError), _direct(_address(service, ports), SET_UP_SECONDS) as client:
        _configure(client, service, ports)


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


def _configure(client: MongoClient[Any], service: str, ports: Ports) -> None:
    """Initiate a new set; give a set whose data came from another port its address of now."""
    wanted = {"_id": replica_set(service), "members": [{"_id": 0, "host": _address(service, ports)}]}
    try:
        known = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as failure:
        if failure.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", wanted)
        return
    if _moved(known, wanted):
        members = [{**known["members"][0], "host": _address(service, ports)}]
        client.admin.command("replSetReconfig", {**known, "members": members}, force=True)


def _moved(known: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return [m["host"] for m in known["members"]] != [m["host"] for m in wanted["members"]]


def _address(service: str, ports: Ports) -> str:
    return f"127.0.0.1:{ports.named()[f'mongo_{service}']}"


def _direct(address: str, seconds: float) -> MongoClient[Any]:
    return MongoClient(f"mongodb://{address}", directConnection=True, timeoutMS=int(seconds * 1000))


def _client(address: str, seconds: float) -> MongoClient[Any]:
    wait = int(seconds * 1000)
    return MongoClient(
        address, serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, socketTimeoutMS=wait, maxPoolSize=2
    )
