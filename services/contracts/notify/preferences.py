"""What notify tells of the choices of those who are told things."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Sealed
from services.contracts.notify.messages import Via


class PreferencesSet(Event):
    """How somebody wants to be told things from now on."""

    person_id: str
    channels: list[Via | str]
    language: str
    quiet_from: str | None = None
    quiet_to: str | None = None
    email: Sealed | None = None
