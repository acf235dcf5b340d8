"""The routes of the working times."""

from services.chassis.http.routes import Routes
from services.requests.calendar import commands, queries
from services.requests.calendar.queries import CalendarView

routes = Routes("/v1/calendar", "calendar")
routes.get("", queries.get_calendar, view=CalendarView)
routes.put("", commands.set_calendar, view=CalendarView)
