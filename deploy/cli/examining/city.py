"""Checks of the city's data, and of the encryption between the parts."""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime

from deploy.cities.load import CityDataWrong, time_zone, words_of_danger
from deploy.cli.city.calendar import covered_until
from deploy.local import Stack, databases
from services.chassis.operations.doctor.findings import Finding, ok, soon, wrong

AHEAD_DAYS = 60
"""A year's holidays are published in the autumn before it."""
_LONGEST = 200


def holidays(stack: Stack) -> list[Finding]:
    """Until when holidays are known, and the city's time zone."""
    data = stack.city_data
    try:
        known = time_zone(data)
        until, _ = covered_until(stack)
    except (CityDataWrong, ValueError) as error:
        why = " ".join(str(error).split())[:_LONGEST]
        return [wrong("calendar", f"holidays.json in {data} cannot be used ({why})", "correct it there, then restart")]
    zone, said = ok("time zone", str(known)), f"holidays are known until {until}"
    days = (until - datetime.now(UTC).astimezone(known).date()).days
    file = data / "holidays.json"
    advice = f"add the next year's to {file} and run `linli seed`: else a holiday counts as a working day"
    if days < 0:
        return [zone, wrong("calendar", said, advice)]
    return [zone, soon("calendar", said, advice) if days < AHEAD_DAYS else ok("calendar", said)]


def dangers(stack: Stack) -> list[Finding]:
    """Whether the words of danger can be read: without them requests does not start."""
    file = stack.city_data / "dangers.json"
    try:
        kinds = words_of_danger(stack.city_data).kinds
    except CityDataWrong as error:
        why = " ".join(str(error).split())[:_LONGEST]
        return [wrong("dangers", f"{file} cannot be used ({why})", "correct it there, then restart requests")]
    return [ok("dangers", f"words of {len(kinds)} kinds of danger are known")]


def encryption(stack: Stack) -> list[Finding]:
    """Whether anything is sent unencrypted over a network."""
    environment = stack.environment("members", "web")
    uris = [uri for uri in stack.uris.values() if "tls=true" not in uri.lower() and "ssl=true" not in uri.lower()]
    spoken = [*stack.kafka.split(","), *(host for uri in uris for host in databases.hosts(uri).split(","))]
    outside = sorted(set(_outside([*spoken, f"{environment['LINLI_HOST']}:0"])))
    if outside:
        advice = "put these behind TLS, or on a separate network"
        return [soon("encryption", f"unencrypted: {', '.join(outside)}", advice)]
    return [ok("encryption", "none is needed here: everything listens on this machine's own addresses only")]


def _outside(addresses: Iterable[str]) -> list[str]:
    hosts = [address.strip().rpartition(":")[0].strip("[]") for address in addresses]
    return [host for host in hosts if host != "localhost" and not _is_loopback(host)]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
