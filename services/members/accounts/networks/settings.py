"""The settings of networks: which of them are known, and how much a minute is usual."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from pydantic import Field, field_validator

from services.chassis.runtime.settings import OwnSettings

Networks = tuple[IPv4Network | IPv6Network, ...]


class NetworkSettings(OwnSettings):
    """Which networks may ask for much."""

    known_networks: str | None = Field(
        None,
        description="addresses and networks (203.0.113.7, 198.51.100.0/24), separated by commas, from which many "
        "people sign in: service halls. What is asked for from there neither waits nor needs work; members only",
    )
    codes_per_minute: int = Field(
        600,
        ge=1,
        description="sign-in codes that are asked for in a minute on a busy day, in all: above it every code needs a "
        "little work of the page, or waits; members only",
    )

    staff_sign_ins_per_minute: int = Field(
        60,
        ge=1,
        description="sign-ins of staff in a minute with devices that are not known, in all: above it each needs a "
        "little work of the page, or waits; above ten times that all wait; members only",
    )

    @field_validator("known_networks")
    @classmethod
    def _are_networks(cls, given: str | None) -> str | None:
        _networks(given)
        return given

    @property
    def networks(self) -> Networks:
        """The networks that ``known_networks`` names."""
        return _networks(self.known_networks)


def _networks(text: str | None) -> Networks:
    return tuple(ip_network(one.strip()) for one in (text or "").split(",") if one.strip())
