"""The routes of people."""

from services.chassis.http.routes import Routes
from services.chassis.storage.audit import Action
from services.members.people import commands, queries
from services.members.people.queries import ClearView, MeView, PersonView, RegisteredView

routes = Routes("/v1/people", "people")
routes.post("", commands.register_person, view=RegisteredView, location="/v1/people/{id}")
routes.find("/find", queries.find_people, view=PersonView)
routes.get("/{person_id}", queries.get_person, view=PersonView)
routes.post("/{person_id}/unmask", commands.unmask, view=ClearView, status=200, audited=Action.UNMASK)
routes.put("/{person_id}/name", commands.correct_name, view=PersonView)

me = Routes("/v1/me", "people")
me.get("", queries.get_me, view=MeView)
me.put("", commands.change_profile, view=MeView)
