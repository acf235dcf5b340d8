"""The clock of rosters: a gap is reported before it begins."""

from services.chassis.schedule.timers import Timer
from services.members.rosters import commands
from services.members.rosters.model import Roster

roster_watch = Timer("roster-watch", Roster, "alert_at", commands.report_gaps, every=5.0)
