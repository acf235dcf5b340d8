"""Who may do what in requests: what is right for each command, role, state and place, said apart from the code."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.domain.events import Event
from services.chassis.domain.scope import NOBODY, PUBLIC, SYSTEM, Actor, system_actor
from services.chassis.domain.values import Sealed, now
from services.chassis.domain.words import Words
from services.chassis.storage.mongo import Document
from services.chassis.usecase import Context, known_as
from services.contracts.members.roles import Role
from services.contracts.requests import cases as contract
from services.contracts.requests.case_parts import Channel
from services.contracts.requests.cases import CloseReason
from services.contracts.requests.catalogue import ItemPublished, ItemWithdrawn, Tier
from services.contracts.requests.dangers import DangerUnfounded
from services.requests.app import service
from services.requests.cases.alarms import commands as alarms
from services.requests.cases.dispatch import commands as dispatch
from services.requests.cases.dispatch.model import CaseAt
from services.requests.cases.forgetting import commands as forgetting
from services.requests.cases.intake import commands as intake
from services.requests.cases.limits import commands as limits
from services.requests.cases.model import Case
from services.requests.cases.states.model import State
from services.requests.cases.steps import commands as steps
from services.requests.cases.steps.model import STEPS, Step, may
from services.requests.catalogue import commands as catalogue
from services.requests.catalogue.model import Item
from tests.requests.town import BARE, CENTRE, CITY, COUNTY, HOME, ITEMS, PATROL, STATION, Town
from tests.support.guards import OK, Row, stored, twin

RESIDENT, OTHER = "person_wang", "person_li"
_OWN, _ABOVE, _NEIGHBOUR, _NONE = "own", "above", "neighbour's", "none"
WHOLE_CITY = "city"
PLACES: Mapping[str, tuple[str, ...]] = {
    _OWN: (HOME,),
    _ABOVE: (COUNTY,),
    _NEIGHBOUR: (BARE,),
    _NONE: (),
    WHOLE_CITY: (CITY,),
}
BODIES = {_OWN: (STATION,), _ABOVE: (CENTRE,), _NEIGHBOUR: ("organisation_other",), _NONE: (), "team": (PATROL,)}
PEOPLE = {_OWN: RESIDENT, _NEIGHBOUR: OTHER, _NONE: None}
_RELATIONS = (_OWN, _ABOVE, _NEIGHBOUR, _NONE)
_IN_PLACE = (Role.OPERATOR, Role.DISPATCHER, Role.SUPERVISOR)


@dataclass(frozen=True)
class Who:
    """Somebody, and by what each of the roles is held: which place, which body, which person."""

    roles: tuple[str, ...]
    place: str = _NONE
    body: str = _NONE
    person: str = _NONE

    @property
    def label(self) -> str:
        """For messages."""
        return f"{'+'.join(self.roles)} (place {self.place}, body {self.body}, person {self.person})"

    def actor(self) -> Actor:
        """As a use case sees them."""
        if self.roles == (PUBLIC,):
            return NOBODY
        if self.roles == (SYSTEM,):
            return system_actor("guards")
        roles, body, person = frozenset(self.roles), BODIES[self.body], PEOPLE[self.person]
        return Actor(f"account_{abs(hash(self))}", roles, PLACES[self.place], body, person)

    def in_charge(self) -> bool:
        """Whether one of their places holds what lies in HOME."""
        return self.place in (_OWN, _ABOVE, WHOLE_CITY)

    def sees(self, *, held: bool) -> bool:
        """Whether they see a resident's case in HOME; ``held``: the station has it."""
        serves = Role.HANDLER in self.roles and self.body not in (_NONE, "team")
        return (
            (Role.RESIDENT in self.roles and self.person == _OWN)
            or (Role.HANDLER in self.roles and self.body == _OWN and held)
            or (self.in_charge() and (serves or any(role in self.roles for role in (*_IN_PLACE, Role.ADMINISTRATOR))))
        )

    def is_entitled(self, roles: tuple[Role, ...], *, held: bool) -> bool:
        """Whether one of these roles is theirs for that case."""
        own = self.person == _OWN
        by = {Role.RESIDENT: own, Role.HANDLER: self.body == _OWN and held and not own}
        return any(role in self.roles and by.get(role, self.in_charge() and not own) for role in roles)


EVERYBODY = (
    Who((PUBLIC,)),
    Who((SYSTEM,)),
    *(Who((Role.RESIDENT,), person=person) for person in PEOPLE),
    *(Who((Role.HANDLER,), place=place, body=body) for place, body in zip(_RELATIONS, _RELATIONS, strict=True)),
    Who((Role.HANDLER,), place=_OWN, body="team"),
    Who((Role.HANDLER,), place=_NEIGHBOUR, body=_OWN),
    *(Who((role,), place=place) for role in (*_IN_PLACE, Role.ADMINISTRATOR) for place in _RELATIONS),
    # A role is not to borrow what another role of the same actor holds for.
    Who((Role.DISPATCHER, Role.HANDLER), place=_NEIGHBOUR, body=_OWN),
    Who((Role.RESIDENT, Role.ADMINISTRATOR), place=_OWN, person=_NEIGHBOUR),
    Who((Role.RESIDENT, Role.OPERATOR), place=_NEIGHBOUR, person=_OWN),
    # Nobody of the staff decides about what they asked for themselves.
    Who((Role.HANDLER,), place=_OWN, body=_OWN, person=_OWN),
    *(Who((role,), place=_OWN, person=_OWN) for role in (*_IN_PLACE, Role.ADMINISTRATOR)),
    Who((Role.RESIDENT, *_IN_PLACE, Role.HANDLER), place=_OWN, body=_OWN, person=_OWN),
)

_WORDS = Sealed("sealed")
_AT = now()
FILED = contract.CaseFiled(
    number="261123-7K3QX-4",
    filed_at=_AT,
    resident_id=RESIDENT,
    filed_by="account_before",
    channel=Channel.SELF,
    item="NEAR",
    item_name=Words.named("事项", "Item"),
    system="health",
    area=HOME,
    title=_WORDS,
    text=_WORDS,
    department="health",
    tiers=[Tier.STATION, Tier.CENTRE, Tier.COUNTY],
    first_response_hours=4,
    resolution_hours=24,
    danger_named=True,
)
LATER = {"respond_by": _AT + timedelta(days=2), "warn_at": _AT + timedelta(days=5), "due_at": _AT + timedelta(days=6)}
GIVEN = contract.CaseDispatched(tier=Tier.STATION, handler_id=STATION, handler_name=Words.named("站"))
_TAKEN = (GIVEN, contract.CaseAccepted())
_RESOLVED = (
    *_TAKEN,
    contract.CaseResolved(outcome=CloseReason.FIXED, answer=_WORDS, resolved_at=_AT, resolution_seconds=60),
)
_WAY: Mapping[State, tuple[Any, ...]] = {
    State.NEW: (),
    State.VERIFIED: (contract.CaseVerified(),),
    State.DISPATCHED: (GIVEN,),
    State.ACCEPTED: _TAKEN,
    State.IN_PROGRESS: (*_TAKEN, contract.CaseStarted()),
    State.SUSPENDED: (
        *_TAKEN,
        contract.CasePaused(
            because="weather",
            reason=_WORDS,
            paused_at=_AT,
            until=_AT + timedelta(days=1),
            due_at=_AT + timedelta(days=2),
        ),
    ),
    State.RETURNED: (GIVEN, contract.CaseReturned(reason=_WORDS, times=1)),
    State.RESOLVED: _RESOLVED,
    State.CALLBACK: (*_RESOLVED, contract.CaseCalledBack(reached=True)),
    State.CLOSED: (*_RESOLVED, contract.CaseClosed(reason=CloseReason.FIXED, ended_at=_AT)),
    State.REJECTED: (GIVEN, contract.CaseRejected(reason=CloseReason.NOT_OUR_DUTY, answer=_WORDS, ended_at=_AT)),
    State.CANCELLED: (GIVEN, contract.CaseCancelled(by_resident=True, ended_at=_AT)),
}
_UNHELD = (State.NEW, State.VERIFIED, State.RETURNED)

_STEPS: Mapping[Step, tuple[type[Event], Any]] = {
    Step.VERIFY: (contract.CaseVerified, None),
    Step.ROUTE: (contract.CaseDispatched, None),
    Step.REJECT: (contract.CaseRejected, intake.RejectCase(answer="x")),
    Step.CANCEL: (contract.CaseCancelled, intake.CancelCase()),
    Step.TEAM: (contract.CaseDispatched, dispatch.AssignTeam(team_id=PATROL)),
    Step.HANDLER: (contract.CaseDispatched, dispatch.AssignHandler(organisation_id=CENTRE)),
    Step.ACCEPT: (contract.CaseAccepted, None),
    Step.START: (contract.CaseStarted, None),
    Step.PAUSE: (contract.CasePaused, limits.PauseCase(reason="x")),
    Step.RESUME: (contract.CaseResumed, None),
    Step.RETURN: (contract.CaseReturned, limits.ReturnCase(reason="x")),
    Step.RESOLVE: (contract.CaseResolved, steps.ResolveCase(answer="x")),
    Step.CALL_BACK: (contract.CaseCalledBack, steps.CallBack(reached=True)),
    Step.RATE: (contract.CaseRated, steps.RateCase(score=5, solved=True)),
    Step.REOPEN: (contract.CaseReopened, intake.ReopenCase(reason="x")),
    Step.CLOSE: (contract.CaseClosed, steps.CloseCase()),
    Step.COMMENT: (contract.CommentAdded, steps.AddComment(text="x")),
    Step.URGE: (contract.CaseUrged, None),
    Step.NO_DANGER: (DangerUnfounded, steps.NoDanger(reason="x")),
    Step.FORGET: (contract.CaseForgotten, forgetting.ForgetCase(because=contract.ForgetCause.ASKED)),
}
"""What each step records, and a body for it."""

NUMBERS = itertools.count()


def step_rows(town: Town) -> Iterator[Row]:
    """Each step × state × actor, on a case of its own; the use case is the one at the step's address."""
    routes = {route.path.rpartition("/")[2]: route.work for table in service.routes for route in table.routes}
    cases = {state: stored(Case, FILED, contract.LimitsSet(**LATER), *way) for state, way in _WAY.items()}
    for step, state, who in itertools.product(Step, State, EVERYBODY):
        id, (event, command) = f"case_g{next(NUMBERS)}", _STEPS[step]
        work: Any = routes[step]
        right = _right(step, state, who)
        thing = twin(Case, cases[state], id, town.container)
        run = calling(work, id, *([command] if command else []))
        yield Row(
            known_as(work).name, f"{step} of a {state} case by {who.label}", who.actor(), run, right, event, thing
        )


def _right(step: Step, state: State, who: Who) -> str:
    rule, held, system = STEPS[step], state not in _UNHELD, who.roles == (SYSTEM,)
    if (refused := by_role(who, *may(step))) is not None:
        return refused
    if not system and not who.sees(held=held):
        return "not-found"
    if not system and not who.is_entitled(rule.roles, held=held):
        return "own-case" if who.person == _OWN else "not-your-step"
    return OK if state in rule.states else "step-not-allowed"


def by_role(who: Who, *roles: str) -> str | None:
    if who.roles == (PUBLIC,):
        return "sign-in-needed"
    return None if set(who.roles) & {SYSTEM, *roles} else "forbidden"


def calling(work: Callable[..., Awaitable[Any]], *given: Any) -> Callable[[Context], Awaitable[Any]]:
    return lambda ctx: work(ctx, *given)


def filing_rows() -> Iterator[Row]:
    """Filing for oneself and for a caller, in HOME."""
    for who, caller in itertools.product(EVERYBODY, (None, OTHER)):
        cmd = intake.FileRequest(item="NEAR", area=HOME, title="x", text="x", on_behalf_of=caller)
        label = f"for {caller or 'oneself'} by {who.label}"
        name = "requests.cases.intake.file"
        yield Row(name, label, who.actor(), calling(intake.file, cmd), _right_filing(who, caller), contract.CaseFiled)


def _right_filing(who: Who, caller: str | None) -> str:
    if (refused := by_role(who, Role.RESIDENT, Role.OPERATOR)) is not None:
        return refused
    if caller is None:
        return OK if Role.RESIDENT in who.roles and who.person != _NONE else "resident-missing"
    if Role.OPERATOR not in who.roles:
        return "forbidden"
    return OK if who.in_charge() else "area-outside-yours"


def item_rows(offered: Document) -> Iterator[Row]:
    """Publishing and withdrawing service items: the whole city's administrators."""
    withdrawn = {**offered, "state": {**offered["state"], "offered": False}}
    everybody = (*EVERYBODY, Who((Role.ADMINISTRATOR,), place=WHOLE_CITY))
    for who, (state, document) in itertools.product(everybody, (("offered", offered), ("withdrawn", withdrawn))):
        right = by_role(who, Role.ADMINISTRATOR) or (OK if who.place == WHOLE_CITY else "citywide-only")
        codes = [f"G{next(NUMBERS)}" for _ in range(2)]
        offer, withdraw = [(Item, {**document, "_id": code}) for code in codes]
        cmd = catalogue.PublishItem.model_validate({**ITEMS[0], "code": codes[0], "department": "other"})
        label = f"of an item that is {state} by {who.label}"
        run = calling(catalogue.publish_item, codes[0], cmd)
        yield Row("requests.catalogue.publish_item", label, who.actor(), run, right, ItemPublished, offer)
        gone = "item-already-withdrawn" if right == OK and state == "withdrawn" else right
        run = calling(catalogue.withdraw_item, codes[1])
        yield Row("requests.catalogue.withdraw_item", label, who.actor(), run, gone, ItemWithdrawn, withdraw)


_OF_NOTHING = (dispatch.free_slot, alarms.link, alarms.settle_linked)
"""What the rows aim at a load, or at a first case, that is not there."""


def system_rows(town: Town) -> Iterator[Row]:
    """What only reactions and timers do."""
    filed = stored(Case, FILED, contract.LimitsSet(**LATER), GIVEN)
    works: tuple[tuple[Any, tuple[Any, ...]], ...] = (
        (dispatch.pass_on, (PATROL,)),
        (dispatch.book, (PATROL,)),
        (dispatch.ask_dispatcher, (PATROL,)),
        (limits.tick, ()),
        (limits.move_limits, ()),
        (alarms.call, ()),
        (alarms.report_incident, (FILED,)),
        (alarms.link, ("case_first",)),
        (alarms.settle_linked, ("case_first",)),
        (forgetting.forget_of_erased, ()),
        (forgetting.forget_over, ()),
        (dispatch.reserve_slot, (CaseAt("case_any", 1),)),
        (dispatch.free_slot, (CaseAt("case_any", 1),)),
    )
    for who, (work, more) in itertools.product(EVERYBODY, works):
        id = PATROL if work is dispatch.reserve_slot else f"case_g{next(NUMBERS)}"
        of_others = (dispatch.reserve_slot, dispatch.free_slot, alarms.report_incident)
        thing = None if work in of_others else twin(Case, filed, id, town.container)
        right = by_role(who) or ("not-found" if work in _OF_NOTHING else OK)
        run = calling(work, id, *more)
        yield Row(known_as(work).name, f"by {who.label}", who.actor(), run, right, thing=thing)


async def rows(town: Town) -> list[Row]:
    """The whole table."""
    offered = await town.container.mongo.find_one(Item.collection(), {"_id": ITEMS[0]["code"]})
    assert offered is not None
    return [*step_rows(town), *filing_rows(), *item_rows(offered), *system_rows(town)]
