"""A case as notify knows it."""

from typing import ClassVar, assert_never

from pydantic import Field

from services.chassis.domain.entity import Copy
from services.chassis.domain.values import Instant, Sealed
from services.chassis.domain.words import Words
from services.contracts.members.areas import Located
from services.contracts.members.teams import is_team
from services.contracts.requests.alarms import CaseCalled, CaseLinked
from services.contracts.requests.case_parts import Channel
from services.contracts.requests.cases import (
    CaseBooked,
    CaseDispatched,
    CaseEscalated,
    CaseFiled,
    CasePaused,
    CaseReopened,
    CaseResumed,
    CaseReturned,
    CaseUnassigned,
    LimitsMoved,
    LimitsSet,
)
from services.contracts.requests.followers import CaseFollowed, CaseUnfollowed, followers_after

CaseEvent = (
    CaseFiled
    | LimitsSet
    | LimitsMoved
    | CaseDispatched
    | CaseBooked
    | CaseUnassigned
    | CaseReturned
    | CaseReopened
    | CasePaused
    | CaseResumed
    | CaseEscalated
    | CaseFollowed
    | CaseUnfollowed
    | CaseCalled
    | CaseLinked
)


class Case(Located, Copy[CaseEvent]):
    """A case, as far as those who hear of it need to know it."""

    entity_type: ClassVar[str] = "case"
    creates = (CaseFiled,)

    number: str
    resident_id: str
    operator: str | None = None
    """The account that filed it for a caller."""
    item_name: Words
    system: str
    sensitive: bool = False
    advice: Sealed | None = None
    """What its resident is told to do at once, sealed under the key of the case."""
    danger_named: bool = False
    """Whether its words name a danger."""
    routed: int | None = None
    """The version with which it was first certain who has the case, or first found that nobody can have it."""
    handler_id: str | None = None
    handler_name: Words | None = None
    due_at: Instant | None = None
    owner_id: str | None = None
    owner_place: str | None = None
    followers: list[str] = Field([])
    in_danger: bool = False
    """Somebody may be in danger: who is on call is called."""
    called: list[str] = Field([])
    """Who was called since calls began: when it was filed, reopened, or returned by who had accepted it."""
    linked: bool = False
    """Somebody is called about another case of the same danger, and not about this one."""

    def apply(self, event: CaseEvent) -> None:
        """Take an event of the source into the copy."""
        match event:
            case CaseFiled():
                self._file(event)
            case LimitsSet() | LimitsMoved() | CasePaused() | CaseResumed():
                self.due_at = event.due_at
            case CaseDispatched():
                self._hand_to(event.handler_id, event.handler_name)
                self.routed = self.routed or (None if is_team(event.handler_id) else self.version)
            case CaseBooked():
                self.routed = self.routed or self.version
            case CaseUnassigned():
                self._hand_to(None, None)
                self.routed = self.routed or self.version
            case CaseReturned():
                self._hand_to(None, None)
            case CaseReopened():
                self.owner_id = self.owner_place = None
                self.called, self.linked = [], False
            case CaseEscalated():
                self.owner_id, self.owner_place = event.owner_id, event.owner_place
            case CaseCalled():
                before = self.called if event.step > 1 else []
                self.called, self.linked = [*before, *([event.person_id] if event.person_id else [])], False
            case CaseLinked():
                self.linked = True
            case CaseFollowed() | CaseUnfollowed():
                self.followers = followers_after(self.followers, event)
            case _:
                assert_never(event)

    def _file(self, event: CaseFiled) -> None:
        self.number, self.resident_id, self.area = event.number, event.resident_id, event.area
        self.item_name, self.system = event.item_name, event.system
        self.sensitive, self.advice, self.danger_named = event.sensitive, event.advice, event.danger_named
        self.operator = event.filed_by if event.channel == Channel.ON_BEHALF else None
        self.routed = self.due_at = self.owner_id = self.owner_place = None
        self.followers, self.called, self.linked = [], [], False
        self.in_danger = event.accept_within_minutes is not None
        self._hand_to(None, None)

    def _hand_to(self, id: str | None, name: Words | None) -> None:
        self.handler_id, self.handler_name = id, name
