"""MongoDB as one replica set per service: how its nodes are started, made a set, and addressed."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

from deploy.local import tools
from deploy.local.trouble import Trouble
from services.chassis.domain.account import Account

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
# Who signs in is asked for SCRAM-SHA-256 and nothing older. Passwords have 256 random bits: more rounds than the fewest
# that the server allows protect nothing. Nobody gets in without signing in, not even from this machine before the
# first account is there.
SIGNING_IN = {
    "authenticationMechanisms": "SCRAM-SHA-256",
    "scramSHA256IterationCount": "5000",
    "enableLocalhostAuthBypass": "false",
}
MECHANISM = "authMechanism=SCRAM-SHA-256"
NOT_YET_INITIALIZED = 94
ACCOUNT_EXISTS = 51003
SET_UP_SECONDS = 2
GRANT_SECONDS = 10


def uri(service: str, addresses: Sequence[str]) -> str:
    """The URI of a service's own database, on the replica set of the nodes at these addresses."""
    options = {"replicaSet": replica_set(service), **OPTIONS}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return f"mongodb://{','.join(addresses)}/{database(service)}?{query}"


def database(service: str) -> str:
    """The name of a service's own database."""
    return f"linli_{service}"


def signed_in(uri: str, account: Account | None) -> str:
    """The URI with an account, for a driver in this process: never for a log or a command line."""
    parts = urlsplit(uri)
    if account is None:
        return uri
    hosts, query = parts.netloc.rpartition("@")[2], [parts.query] if parts.query else []
    netloc = f"{quote(account.name)}:{quote(account.password)}@{hosts}"
    return urlunsplit(parts._replace(netloc=netloc, path=parts.path or "/", query="&".join([*query, MECHANISM])))


def command(service: str, data: Path, port: int, cache_mib: int, key: Path | None = None) -> tuple[str, ...]:
    """The command that runs one node of a service's database, with its data in this folder.

    ``key``: the file by which its nodes know each other; without one nobody needs an account.
    """
    data.mkdir(mode=0o700, exist_ok=True)
    where = ("--dbpath", str(data), "--bind_ip", "127.0.0.1", "--port", str(port), "--nounixsocket")
    # A file that was not used for a minute is closed: each index is one, and a process may have a limited number open.
    engine = f"cache_size={cache_mib}M,session_max={SESSIONS},file_manager=(close_idle_time=60)"
    size = ("--wiredTigerEngineConfigString", engine, "--maxConns", str(CONNECTIONS), "--oplogSize", "512")
    closed = () if key is None else ("--auth", "--keyFile", str(key))
    wanted = PARAMETERS if key is None else PARAMETERS | SIGNING_IN
    parameters = (word for name, value in wanted.items() for word in ("--setParameter", f"{name}={value}"))
    return (tools.mongod(), "--replSet", replica_set(service), *where, *size, *closed, "--quiet", *parameters)


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


def set_up(service: str, addresses: Sequence[str], account: Account | None = None) -> None:
    """Initiate a replica set that does not exist yet, and update one whose ports changed.

    Does nothing if that is not possible yet. ``account``: that of its nodes, where they have one.
    """
    with contextlib.suppress(PyMongoError), _direct(addresses[0], SET_UP_SECONDS, account) as client:
        _configure(client, service, addresses)


def grant(service: str, addresses: Sequence[str], nodes: Account, owner: Account, operator: Account) -> None:
    """Make or renew the accounts of a set that has a primary: its service's and its operator's.

    Trouble if that fails. ``nodes``: the account of its nodes, which makes them.
    """
    mine: list[tuple[str, Account, Any]] = [
        (database(service), owner, [{"role": "readWrite", "db": database(service)}]),
        ("admin", operator, ["root"]),
    ]
    uri = f"mongodb://{','.join(addresses)}/?replicaSet={replica_set(service)}"
    try:
        with _client(uri, GRANT_SECONDS, **_as(nodes)) as client:
            for where, account, roles in mine:
                _renew(client, where, account, roles)
    except PyMongoError as error:
        advice = f"see `linli logs mongo-{service}`, then repeat"
        raise Trouble(f"The accounts of mongo-{service} cannot be made ({error}): {advice}.") from error


def _renew(client: MongoClient[Any], where: str, account: Account, roles: Iterable[Any]) -> None:
    given: dict[str, Any] = {"pwd": account.password, "roles": roles, "mechanisms": ["SCRAM-SHA-256"]}
    try:
        client[where].command("createUser", account.name, **given)
    except OperationFailure as failure:
        if failure.code != ACCOUNT_EXISTS:
            raise
        client[where].command("updateUser", account.name, **given)


def is_open(uri: str, seconds: float = 1) -> bool:
    """Whether a database can be read by who does not sign in; False where it does not answer."""
    bare = urlsplit(uri)
    bare = bare._replace(netloc=bare.netloc.rpartition("@")[2])
    with _client(urlunsplit(bare), seconds) as client:
        try:
            client.get_default_database().command("listCollections", nameOnly=True)
        except PyMongoError:
            return False
        return True


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


def _direct(address: str, seconds: float, account: Account | None = None) -> MongoClient[Any]:
    wait = int(seconds * 1000)
    return MongoClient(
        f"mongodb://{address}", directConnection=True, timeoutMS=wait, **(_as(account) if account else {})
    )


def _client(address: str, seconds: float, **more: Any) -> MongoClient[Any]:
    wait = int(seconds * 1000)
    return MongoClient(
        address, serverSelectionTimeoutMS=wait, connectTimeoutMS=wait, socketTimeoutMS=wait, maxPoolSize=2, **more
    )


def _as(nodes: Account) -> dict[str, Any]:
    """The options with which the account of a set's nodes signs in; it is in no database that is copied."""
    known = {"username": nodes.name, "password": nodes.password}
    return {**known, "authSource": "local", "authMechanism": "SCRAM-SHA-256"}
