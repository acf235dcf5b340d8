"""What notify tells of the choices of those who are told things."""

from services.chassis.domain.events import Event
from services.chassis.domain.values import Code, Id, Sealed
from services.contracts.notify.messages import Via


class PreferencesSet(Event):
    """How somebody wants to be told things from now on."""

    person_id: Id
    channels: list[Via | str]
    language: Code
    quiet_from: Code | None = None
    quiet_to: Code | None = None
    email: Sealed | None = None
