"""The routes to what others asked for."""

from services.chassis.http.routes import Routes
from services.requests.cases.following import commands, queries
from services.requests.cases.following.queries import AlikeView

routes = Routes("/v1/requests", "requests")
routes.list("/alike", queries.list_alike, view=AlikeView)
routes.list("/followed", queries.list_followed, view=AlikeView)
routes.post("/{case_id}/follow", commands.follow, status=204, versioned=False)
routes.delete("/{case_id}/follow", commands.unfollow, versioned=False)
