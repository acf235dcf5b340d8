"""The routes of accounts."""

from services.chassis.http.routes import Routes
from services.members.accounts import commands, queries
from services.members.accounts.queries import AccountView, OpenedAccountView

routes = Routes("/v1/accounts", "accounts")
routes.list("", queries.list_accounts, view=AccountView)
routes.post("", commands.open_account, view=OpenedAccountView, location="/v1/accounts/{id}")
routes.get("/{account_id}", queries.get_account, view=AccountView)
routes.put("/{account_id}/roles", commands.grant_roles, view=AccountView)
routes.post("/{account_id}/close", commands.close_account, view=AccountView, status=200)
