"""The layout of a stack: home, ports, parts, and what runs elsewhere. It is kept in a file while the stack runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from deploy.local import accounts, databases, keys
from deploy.local.home import CHECKOUT, Home
from deploy.local.ports import Ports
from deploy.local.processes import EVERYTHING, SERVICES, Process, table
from deploy.local.topology import SETTINGS, Topology
from deploy.local.trouble import Trouble
from services.chassis.domain.account import Account

CITY = "hulunbuir"
# Settings of single processes, or of the stack itself; they are never passed on as they were given.
NOT_HANDED_ON = (
    *("LINLI_HOME", "LINLI_PORT", "LINLI_SLOT", "LINLI_TOKEN_KEYS", "LINLI_JWKS", "LINLI_HOST"),
    "LINLI_MONGO_PASSWORD_FILE",
    *SETTINGS,
)


OPEN = "LINLI_ALLOW_OPEN_STORES"
PASSWORDS = "LINLI_MONGO_PASSWORD_FILE"
"""For stores elsewhere ``{service}`` in it stands for the name of the service whose password the file holds."""


def mongo(service: str) -> str:
    """The setting with the database URI of a service; only that service's processes get it."""
    return f"LINLI_MONGO_{service.upper()}"


@dataclass(frozen=True)
class Layout:
    """The intended stack. `given` are LINLI_* settings from outside, which override the defaults."""

    home: Home
    ports: Ports
    parts: frozenset[str] = EVERYTHING
    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Layout":
        """The layout that the environment asks for."""
        given = {name: value for name, value in environment.items() if name.startswith("LINLI_")}
        return cls(Home.of(given), Ports.of(given), EVERYTHING, given)

    @property
    def topology(self) -> Topology:
        """How many nodes the stores have, and how many processes the services; Trouble for an unknown topology."""
        return Topology.of(self.given)

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes that this stack runs itself: those of its parts that do not run elsewhere already."""
        return tuple(p for p in table(self.topology) if p.component in self.parts and not self._is_elsewhere(p))

    @property
    def kafka(self) -> str:
        """The brokers, host:port[,…]."""
        return self.given.get("LINLI_KAFKA") or ",".join(self.nodes("kafka"))

    @property
    def uris(self) -> dict[str, str]:
        """Each service's MongoDB URI, with its database."""
        return {s: self.given.get(mongo(s)) or databases.uri(s, self.nodes(f"mongo-{s}")) for s in SERVICES}

    @property
    def is_open(self) -> bool:
        """Whether its own stores ask nobody to sign in."""
        return self.given.get(OPEN, "").lower() in ("true", "1", "yes", "on")

    @property
    def signed_in(self) -> dict[str, str]:
        """Each service's MongoDB URI with its account, for a driver in this process."""
        return {service: databases.signed_in(uri, self.account(service)) for service, uri in self.uris.items()}

    def account(self, service: str) -> Account | None:
        """The account of a service at its database; None if no file holds its password."""
        file = self._passwords(service).get(PASSWORDS)
        name = urlsplit(self.uris[service]).username or service
        try:
            return Account.read(name, Path(file)) if file else None
        except OSError as error:
            raise Trouble(f"{file} cannot be read ({error.strerror}): `linli up` makes it for stores here.") from None

    def key(self, store: str) -> Path | None:
        """The file by which the nodes of one of its own databases know each other; None if they are open."""
        return None if self.is_open else accounts.password_file(self.home, store, accounts.NODES)

    def nodes_account(self, store: str) -> Account | None:
        """The account of the nodes of one of its own databases; None if they are open."""
        return None if self.is_open else accounts.account(self.home, store, accounts.NODES)

    @property
    def gateway(self) -> str:
        """The address that users and drivers talk to."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    @property
    def token_keys(self) -> Path:
        """The folder of signing keys; a relative path is relative to the working folder of the services."""
        return CHECKOUT / (self.given.get("LINLI_TOKEN_KEYS") or keys.token_keys(self.home))

    @property
    def jwks(self) -> Path:
        """The file of public keys by which services and gateway verify tokens; Trouble for a URL."""
        given = self.given.get("LINLI_JWKS") or str(keys.jwks(self.home))
        if "://" in given:
            raise Trouble(
                f"LINLI_JWKS is {given}: the gateway here reads a file, so save the keys in one and name that."
            )
        return CHECKOUT / given

    def node(self, process: Process) -> str:
        """Where the readiness of a process is asked, host:port."""
        return f"127.0.0.1:{self.ports.named()[process.port]}"

    def nodes(self, part: str) -> list[str]:
        """The addresses of the nodes of one of its own stores, host:port, in order."""
        return [self.node(process) for process in table(self.topology) if process.component == part]

    def address(self, process: str) -> str:
        """The HTTP address of a web or a worker, for health and metrics."""
        return f"http://127.0.0.1:{self.ports.named()[process.replace('-', '_')]}"

    def several(self, service: str, role: str) -> list[Process]:
        """All webs or workers of one service."""
        return [process for process in self.processes if process.component == f"{service}-{role}"]

    def environment(self, service: str, role: str, node: int = 1) -> dict[str, str]:
        """The LINLI_* settings of one process; `role` is web, worker or a command such as migrate."""
        settings = {**self._defaults(), **self._handed_on(), mongo(service): self.uris[service]}
        settings |= self._passwords(service)
        if role in ("web", "worker"):
            name = f"{service}_{role}" if node == 1 else f"{service}_{role}_{node}"
            settings |= {"LINLI_PORT": str(self.ports.named()[name]), "LINLI_SLOT": str(node - 1)}
        if (service, role) == ("members", "web"):
            settings["LINLI_TOKEN_KEYS"] = str(self.token_keys)
        return settings

    def remember(self) -> None:
        """Record what runs, so that other commands find it regardless of their environment."""
        content = {"ports": asdict(self.ports), "parts": sorted(self.parts), "given": dict(self.given)}
        keys.write_private(self.home.run / "stack.json", orjson.dumps(content, option=orjson.OPT_SORT_KEYS))

    def forget(self) -> None:
        """Record that nothing runs any more."""
        (self.home.run / "stack.json").unlink(missing_ok=True)

    def remembered(self) -> "Layout | None":
        """The layout that runs in this home, or None."""
        file = self.home.run / "stack.json"
        if not file.exists():
            return None
        content = orjson.loads(file.read_bytes())
        return Layout(self.home, Ports(**content["ports"]), frozenset(content["parts"]), content["given"])

    def _passwords(self, service: str) -> dict[str, str]:
        """The settings that name the passwords of a service at its stores."""
        if self.given.get(mongo(service)):
            given = self.given.get(PASSWORDS, "").replace("{service}", service)
            return {PASSWORDS: str(CHECKOUT / given)} if given else {}
        own = {} if self.is_open else {PASSWORDS: accounts.password_file(self.home, f"mongo-{service}", service)}
        return {name: str(file) for name, file in own.items()}

    def _is_elsewhere(self, process: Process) -> bool:
        name = "LINLI_KAFKA" if process.kind == "kafka" else mongo(process.service)
        return process.layer == 0 and bool(self.given.get(name))

    def _defaults(self) -> dict[str, str]:
        return {
            "LINLI_CITY": CITY,
            "LINLI_CITY_DATA": str(CHECKOUT / "deploy" / "cities" / self.given.get("LINLI_CITY", CITY)),
            "LINLI_KAFKA": self.kafka,
            "LINLI_TOPIC_PREFIX": "linli",
            "LINLI_TOPIC_REPLICAS": str(self.topology.nodes),
            "LINLI_HOST": "127.0.0.1",
            "LINLI_PORT": "0",
            "LINLI_SLOT": "0",
            "LINLI_MASTER_KEY_FILE": str(keys.master_key(self.home)),
            "LINLI_JWKS": str(self.jwks),
            "LINLI_ISSUER": "linli",
            "LINLI_AUDIENCE": "linli",
            "LINLI_LOG_LEVEL": "info",
            "LINLI_SMS_SPOOL": str(self.home.sms),
        }

    def _handed_on(self) -> dict[str, str]:
        """Settings from outside that every process gets."""
        return {
            name: value
            for name, value in self.given.items()
            if value and name not in (*NOT_HANDED_ON, *map(mongo, SERVICES)) and not name.startswith("LINLI_PORT_")
        }
