"""Subjects without a rule, with the reason for each event. One that gets a rule moves to a folder of its own."""

from services.contracts.members.areas import AreaAdded, AreaBounded, AreaClosed, AreaRenamed
from services.contracts.members.organisations import LeaderAppointed, OrganisationFounded
from services.contracts.members.people import PersonRegistered, ProfileChanged
from services.contracts.notify.messages import (
    DeliveryFailed,
    DeliveryGivenUp,
    DeliveryHeld,
    DeliveryMade,
    MessageRead,
    MessageWritten,
)
from services.contracts.notify.preferences import LanguageKept, PreferencesSet
from services.contracts.requests.calendar import CalendarSet
from services.contracts.requests.catalogue import ItemPublished, ItemWithdrawn
from services.notify.rules.model import Subject

_OWN = "a message about a message would have no end"

subjects: tuple[Subject[None], ...] = (
    Subject(
        "areas",
        silent={
            AreaAdded: "found where places are looked up",
            AreaRenamed: "found where places are looked up",
            AreaBounded: "refused with the reason when a position lies outside",
            AreaClosed: "refused with the reason when a request is filed there",
        },
    ),
    Subject(
        "organisations",
        silent={
            OrganisationFounded: "nobody works for it yet",
            LeaderAppointed: "the administrator who appoints tells the leader in person",
        },
    ),
    Subject(
        "people",
        silent={
            PersonRegistered: "the person was there",
            ProfileChanged: "the person changed it, or was there; of a number PhoneChanged tells",
        },
    ),
    Subject(
        "catalogue",
        silent={
            ItemPublished: "residents read the catalogue when they need it",
            ItemWithdrawn: "residents read the catalogue when they need it",
        },
    ),
    Subject("calendar", silent={CalendarSet: "whose case is due at another time hears it of the case"}),
    Subject(
        "messages",
        silent={
            MessageWritten: _OWN,
            DeliveryMade: _OWN,
            DeliveryFailed: _OWN,
            DeliveryHeld: _OWN,
            DeliveryGivenUp: _OWN,
            MessageRead: _OWN,
        },
    ),
    Subject(
        "preferences",
        silent={PreferencesSet: "the answer shows them", LanguageKept: "it is the language that they asked in"},
    ),
)
