"""The routes of the inbox."""

from services.chassis.http.routes import Routes
from services.notify.inboxes import commands, queries
from services.notify.inboxes.queries import InboxView, MessageView

routes = Routes("/v1/inbox", "inbox")
routes.get("", queries.get_inbox, view=InboxView)
routes.get("/stream", queries.stream_inbox)
routes.post("/{id}/read", commands.read_message, view=MessageView, status=200)
