"""The route to the own staff account."""

from services.chassis.http.routes import Routes
from services.members.accounts.links import commands
from services.members.accounts.queries import AccountView

routes = Routes("/v1/me/staff-account", "people")
routes.post("", commands.link_staff_account, view=AccountView, status=200, keyed=False)
