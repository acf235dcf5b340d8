"""The routes to another phone."""

from services.chassis.http.routes import Routes
from services.members.accounts.codes.commands import CodeSent
from services.members.accounts.phones import commands
from services.members.people.queries import MeView, PersonView

me = Routes("/v1/me/phone", "people")
me.post("/codes", commands.send_code_to_new_phone, view=CodeSent, status=202, keyed=False)
me.put("", commands.change_phone, view=MeView)

routes = Routes("/v1/people", "people")
routes.put("/{person_id}/phone", commands.correct_phone, view=PersonView)
