"""Who may do what in the databases of a stack: nobody without an account, and a service only in its own."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from deploy.local import Ports, Stack, accounts, databases
from deploy.local.layout import OPEN
from services.chassis.domain.account import Account
from tests.support import operators

DATABASES = frozenset({"mongo-members", "mongo-notify"})
SECONDS = 2


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The databases of two services."""
    made = Stack(tmp_path_factory.mktemp("home"), Ports.free(), DATABASES, lifetime="tied")
    made.up()
    yield made
    made.down()


def refused(uri: str, command: str, value: Any = 1, database: str = "", **more: Any) -> str:
    """How the server refuses a command."""
    with MongoClient[dict[str, Any]](uri) as client, pytest.raises(OperationFailure) as raised:
        client[database or client.get_default_database().name].command(command, value, **more)
    return str((raised.value.details or {})["codeName"])


def test_nobody_reads_without_signing_in(stack: Stack) -> None:
    uri = stack.uris["members"]
    assert not databases.is_open(uri)
    assert refused(uri, "find", "people") == "Unauthorized"
    assert refused(uri, "insert", "people", documents=[{"_id": 1}]) == "Unauthorized"


def test_nobody_on_this_machine_makes_the_first_account(tmp_path: Path) -> None:
    stack = Stack(tmp_path, Ports.free(), frozenset({"mongo-members"}), lifetime="tied")
    stack.up()
    try:
        with MongoClient[dict[str, Any]](operators.uri(stack, "members")) as client:
            client["linli_members"].command("dropUser", "members")
            client["admin"].command("dropUser", accounts.OPERATOR)
        stack.stop("mongo-members")
        stack.start("mongo-members")  # now there is none, as at the first start
        taken = {"pwd": "x", "roles": ["root"]}
        assert refused(stack.uris["members"], "createUser", "me", "admin", **taken) == "Unauthorized"
    finally:
        stack.down()


def test_the_account_of_a_service_is_refused_at_the_database_of_another(stack: Stack) -> None:
    members = stack.layout.account("members")
    assert members
    theirs = databases.signed_in(stack.uris["notify"], members)
    assert refused(theirs, "find", "messages") == "AuthenticationFailed"
    assert refused(theirs, "insert", "messages", documents=[{"_id": 1}]) == "AuthenticationFailed"


@pytest.mark.parametrize("database", ["admin", "local", "config", "linli_notify"])
def test_the_account_of_a_service_reads_and_writes_in_its_own_database_only(stack: Stack, database: str) -> None:
    uri = stack.signed_in["members"]
    with MongoClient[dict[str, Any]](uri) as client:
        own = client.get_default_database()["kept"]
        own.insert_one({"_id": database})
        assert own.find_one({"_id": database})
    assert refused(uri, "find", "kept", database) == "Unauthorized"
    assert refused(uri, "insert", "kept", database, documents=[{"_id": 1}]) == "Unauthorized"


@pytest.mark.parametrize("command", ["serverStatus", "shutdown", "replSetGetConfig", "usersInfo", "getCmdLineOpts"])
def test_the_account_of_a_service_administers_nothing(stack: Stack, command: str) -> None:
    assert refused(stack.signed_in["members"], command, 1, "admin") == "Unauthorized"


def test_a_service_can_give_itself_no_role(stack: Stack) -> None:
    more: dict[str, Any] = {"roles": [{"role": "dbOwner", "db": "linli_members"}]}
    assert refused(stack.signed_in["members"], "updateUser", "members", **more) == "Unauthorized"


def test_a_wrong_password_and_an_older_mechanism_are_refused(stack: Stack) -> None:
    uri = stack.uris["members"]
    assert refused(databases.signed_in(uri, Account("members", "guessed")), "find", "kept") == "AuthenticationFailed"
    older = stack.signed_in["members"].replace("SCRAM-SHA-256", "SCRAM-SHA-1")
    assert refused(older, "find", "kept") == "MechanismUnavailable"


def test_passwords_are_in_files_of_their_owner_and_on_no_command_line(stack: Stack) -> None:
    files = sorted(accounts.folder(stack.home).iterdir())
    assert len(files) == 9
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    passwords = {file.read_text() for file in files}
    assert len(passwords) == 9
    assert {len(password) for password in passwords} == {64}
    seen = [*(" ".join(psutil.Process(stack.pid(name)).cmdline()) for name in DATABASES)]
    seen += [
        file.read_text(errors="replace")
        for file in (*stack.home.logs.iterdir(), *stack.home.run.glob("*.*"))
        if file.is_file()
    ]
    assert not [password for password in passwords if any(password in text for text in seen)]


def test_accounts_are_made_for_data_that_had_none(tmp_path: Path) -> None:
    parts, kept = frozenset({"mongo-members"}), {"_id": "from before"}
    before = Stack(tmp_path, Ports.free(), parts, {OPEN: "true"}, "tied")
    before.up()
    with MongoClient[dict[str, Any]](before.uris["members"]) as client:
        assert databases.is_open(before.uris["members"])
        client.get_default_database()["kept"].insert_one(kept)
    before.down()
    after = Stack(tmp_path, Ports.free(), parts, lifetime="tied")
    after.up()
    try:
        assert not databases.is_open(after.uris["members"])
        with MongoClient[dict[str, Any]](after.signed_in["members"]) as client:
            assert client.get_default_database()["kept"].find_one() == kept
    finally:
        after.down()
