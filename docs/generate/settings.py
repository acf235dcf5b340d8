"""The page of settings."""

from dataclasses import fields

from pydantic.fields import FieldInfo

from deploy.gateway import limits
from deploy.gateway.limits import Limits
from deploy.local import ports, topology
from deploy.local.ports import Ports
from docs.generate import tables
from docs.generate.catalogue import SERVICES
from services.chassis.runtime.settings import PREFIX, Kinds, Settings, mongo_setting

_HOW = "Read from the environment when a process starts; what is missing is named all at once. `linli up` sets them."
_LOCAL = (
    "Read by `linli` and `make demo`, for a city on one machine. Any setting of a process that is given besides is "
    "handed on to the processes, and with `LINLI_KAFKA` or `LINLI_MONGO_<SERVICE>` that part is not started here."
)


def page() -> str:
    """Every setting of a process and of the local stack, with its default."""
    head = ("setting", "default", "meaning")
    return tables.page(
        "Settings",
        _HOW,
        tables.table(head, _of_a_process()),
        "## Of the local stack",
        _LOCAL,
        tables.table(head, [*_HOME, *_ports(), *_limits()]),
    )


_HOME = [
    (
        "`LINLI_HOME`",
        "`.linli`",
        "the folder of everything that the city keeps here: data, logs, secrets, text messages",
    ),
    (
        f"`{topology.SETTING}`",
        "`one`",
        "how many brokers, and nodes of each database: one, or three, of which one may fail; a home stays with its own",
    ),
    (f"`{topology.WEB}`", "`1`", f"how many web processes each service has, up to {topology.MOST}"),
    (f"`{topology.WORKERS}`", "`1`", f"how many workers each service has, up to {topology.MOST}"),
    (
        f"`{topology.CACHE}`",
        f"`{topology.TOPOLOGIES['one'].cache_mib}`",
        f"the memory for what each node of a database has at hand, in MiB, from {topology.LEAST_CACHE}; "
        f"with three nodes {topology.TOPOLOGIES['three'].cache_mib} unless given",
    ),
    ("`LINLI_PORT_BASE`", "`0`", "moves all ports up by this many, so that a second city has its own"),
]


def _of_a_process() -> list[tuple[str, str, str | None]]:
    kinds: Kinds = (Settings, *(kind for service in SERVICES.values() for kind in service.settings))
    return [_row(name, field) for kind in kinds for name, field in kind.model_fields.items()]


def _row(name: str, field: FieldInfo) -> tuple[str, str, str | None]:
    if name == "mongo":
        return f"`{mongo_setting('<service>')}`", "needed", field.description
    return f"`{PREFIX}{name.upper()}`", "needed" if field.is_required() else f"`{field.default}`", field.description


def _ports() -> list[tuple[str, str, str]]:
    return [
        (f"`{ports.setting(f.name)}`", f"`{f.default}`", f"the port of {f.name.replace('_', ' ')}")
        for f in fields(Ports)
    ]


def _limits() -> list[tuple[str, str, str | None]]:
    return [
        (f"`{limits.setting(name)}`", f"`{field.default}`", field.description)
        for name, field in Limits.model_fields.items()
    ]
