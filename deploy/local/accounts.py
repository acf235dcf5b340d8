"""The accounts of a local stack's own stores: one for each service and one for its operator, with generated passwords.

Passwords are in files that only their owner may read. Processes get the names of these files.
"""

import secrets
from pathlib import Path

from deploy.local.home import Home
from deploy.local.keys import write_private
from services.chassis.domain.account import Account

OPERATOR = "operator"
"""Makes the accounts of the services, and is for the operator's own hands."""
NODES = "nodes"
"""By this password the nodes of one database know each other; it is there before any other account."""
_BYTES = 32


def make(home: Home, store: str, names: tuple[str, ...]) -> None:
    """Make the passwords of a store's accounts that do not exist yet."""
    folder(home).mkdir(mode=0o700, exist_ok=True)
    for name in names:
        if not (file := password_file(home, store, name)).exists():
            write_private(file, secrets.token_hex(_BYTES).encode())


def folder(home: Home) -> Path:
    """Where the passwords are."""
    return home.secrets / "stores"


def password_file(home: Home, store: str, name: str) -> Path:
    """The password of one account at one store, such as ``mongo-members.operator``."""
    return folder(home) / f"{store}.{name}"


def account(home: Home, store: str, name: str) -> Account:
    """One account at one store."""
    # MongoDB has its own name for the account of its nodes.
    return Account.read("__system" if name == NODES else name, password_file(home, store, name))
