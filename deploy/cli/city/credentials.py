"""The demo accounts of a seeded city: `.linli/credentials.json`, readable by its owner only."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.local import Home, Trouble
from deploy.local.keys import write_private


class Account(BaseModel):
    """What an account needs to sign in, and what it may do; ``organisations`` are ids."""

    model_config = ConfigDict(frozen=True)

    login: str
    password: str
    totp_secret: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    organisations: tuple[str, ...] = ()


class Resident(BaseModel):
    """A resident for trying things out: no password, a code comes to the phone (`linli sms`)."""

    model_config = ConfigDict(frozen=True)

    phone: str
    roles: tuple[str, ...] = ("resident",)
    area: str


class Credentials(BaseModel):
    """Everybody who can sign in to a seeded city."""

    model_config = ConfigDict(frozen=True)

    city: str
    accounts: tuple[Account, ...]
    resident: Resident

    def with_role(self, role: str, place: str = "") -> Account:
        """The first account of a role, for a place or one above it; Trouble if there is none."""
        for one in self.accounts:
            if role in one.roles and _covers(one, place):
                return one
        raise Trouble(
            f"There is no demo account of a {role} for {place or 'the city'}: run `linli seed` again.", code=1
        )

    def by_role(self) -> dict[str, str]:
        """For each role its sign-in: the login of an account for the widest place, a resident's phone."""
        widest = sorted(self.accounts, key=lambda one: (len(one.places[0]), one.login))
        first = {role: one.login for one in reversed(widest) for role in one.roles}
        return {**first, **dict.fromkeys(self.resident.roles, self.resident.phone)}

    def serving(self) -> dict[str, Account]:
        """For each organisation and team the account that works for it; handlers before supervisors."""
        ranked = sorted(self.accounts, key=lambda one: "handler" in one.roles)
        return {organisation: one for one in ranked for organisation in one.organisations}


def path(home: Home) -> Path:
    """The file."""
    return home.root / "credentials.json"


def write(home: Home, credentials: Credentials) -> None:
    """Write all of them, mode 0600."""
    write_private(path(home), credentials.model_dump_json(indent=2).encode())


def read(home: Home) -> Credentials:
    """Read them; Trouble if the city has not been seeded."""
    try:
        return Credentials.model_validate_json(path(home).read_bytes())
    except (OSError, ValidationError) as error:
        raise Trouble(f"There are no demo accounts in {path(home)}: run `linli seed`.") from error


def _covers(account: Account, place: str) -> bool:
    return not place or any(place.startswith(one) for one in account.places)
