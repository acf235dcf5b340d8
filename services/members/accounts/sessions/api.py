"""The routes of sessions."""

from services.chassis.http.routes import Routes
from services.members.accounts.sessions import commands, queries
from services.members.accounts.sessions.queries import SessionView, TokensView

routes = Routes("/v1/sign-in", "sign-in")
routes.post("/tokens", commands.sign_in, view=TokensView, keyed=False, anonymous=True)
routes.post("/staff", commands.sign_in_staff, view=TokensView, keyed=False, anonymous=True)
routes.post("/refresh", commands.refresh, view=TokensView, status=200, keyed=False, anonymous=True)
routes.delete("", commands.sign_out)

own = Routes("/v1/sessions", "sign-in")
own.list("", queries.list_sessions, view=SessionView)
own.delete("/{session_id}", commands.end_session)

keys = Routes("/.well-known", "sign-in")
keys.get("/jwks.json", queries.get_keys)
