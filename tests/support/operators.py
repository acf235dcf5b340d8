"""The operator of a stack, who may do everything in its stores: for what no service does itself."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from deploy.local import Stack, accounts, databases
from deploy.local.layout import PASSWORDS, mongo


def uris(stack: Stack) -> Mapping[str, str]:
    """Each service's MongoDB URI with the operator's account, for a driver in this process."""
    return {service: uri(stack, service) for service in stack.uris}


def uri(stack: Stack, service: str, database: str = "") -> str:
    """One of them; ``database``: another database on the same server."""
    return _signed_in(stack, service, _named(stack, service, database))


def node(stack: Stack, service: str, address: str) -> str:
    """The URI of a single node of a service's database, host:port."""
    query = "directConnection=true" if stack.layout.is_open else "directConnection=true&authSource=admin"
    return _signed_in(stack, service, f"mongodb://{address}/?{query}")


def settings(stack: Stack, service: str, database: str) -> dict[str, str]:
    """What a process of a service needs to work as operator in another database beside its own."""
    if stack.layout.is_open:
        return {mongo(service): _named(stack, service, database)}
    named = urlsplit(_named(stack, service, database))
    account = named._replace(netloc=f"{accounts.OPERATOR}@{named.netloc}")
    file = accounts.password_file(stack.home, f"mongo-{service}", accounts.OPERATOR)
    return {mongo(service): urlunsplit(account), PASSWORDS: str(file)}


def _signed_in(stack: Stack, service: str, uri: str) -> str:
    if stack.layout.is_open:
        return uri
    return databases.signed_in(uri, accounts.account(stack.home, f"mongo-{service}", accounts.OPERATOR))


def _named(stack: Stack, service: str, database: str) -> str:
    parts = urlsplit(stack.uris[service])
    query = parts.query if stack.layout.is_open else f"{parts.query}&authSource=admin"
    return urlunsplit(parts._replace(path=f"/{database}" if database else parts.path, query=query))
