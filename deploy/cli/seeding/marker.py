"""What tells that a city has been seeded: a small file, believed only when the city itself confirms it."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.cli.city import credentials
from deploy.cli.city.client import Gateway
from deploy.local import Home
from deploy.local.keys import write_private


class Marker(BaseModel):
    """Which data were loaded, and the last thing of it to look for."""

    model_config = ConfigDict(frozen=True)

    city: str
    digest: str
    community: str
    item: str


def digest(folder: Path) -> str:
    """What all of a city's files say, in one line."""
    whole = hashlib.sha256()
    for file in sorted(folder.glob("*.json")):
        whole.update(file.name.encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def write(home: Home, marker: Marker) -> None:
    """Remember that it was seeded."""
    write_private(_path(home), marker.model_dump_json().encode())


async def is_seeded(home: Home, folder: Path, gateway: Gateway) -> bool:
    """Whether this very data is in this very city."""
    try:
        marker = Marker.model_validate_json(_path(home).read_bytes())
    except (OSError, ValidationError):
        return False
    if marker.digest != digest(folder) or not credentials.path(home).exists():
        return False
    looked = [f"/v1/areas/{marker.community}", f"/v1/catalogue/{marker.item}"]
    return all([(await gateway.ask("GET", path)).ok for path in looked])


def _path(home: Home) -> Path:
    return home.root / "seeded.json"
