"""The clock of all cases: oldest first, by the one field that says when something is due next."""

from services.chassis.schedule.timers import Timer
from services.requests.cases.limits import commands
from services.requests.cases.model import Case

case_clock = Timer("case-clock", Case, "next_tick_at", commands.tick)
