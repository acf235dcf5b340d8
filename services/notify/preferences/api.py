"""The routes of preferences."""

from services.chassis.http.routes import Routes
from services.notify.preferences import commands, queries
from services.notify.preferences.queries import PreferencesView

routes = Routes("/v1/preferences", "preferences")
routes.get("", queries.get_preferences, view=PreferencesView)
routes.put("", commands.set_preferences, view=PreferencesView)
