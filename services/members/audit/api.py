"""The route of the audit log."""

from services.chassis.http.routes import Routes
from services.members.audit import queries
from services.members.audit.queries import EntryView

routes = Routes("/v1/audit", "audit")
routes.list("", queries.list_entries, view=EntryView)
